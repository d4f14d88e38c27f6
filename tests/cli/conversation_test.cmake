# chat and run --chat, with the story model made to believe that it has a chat format.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

expect_failure(1 "@stories: the model has no chat format" chat)
expect_failure(1 "@stories: the model has no chat format" run --chat -p x)

write_chat_model(chat.gguf "<|im_start|><|im_end|>")
expect_good(inspect chat.gguf --json)
string(JSON format GET "${out}" tokenizer chat_format)
expect(chat_format chatml "${format}")

# A conversation of one turn is run --chat.
file(WRITE one_turn.txt "Tell me of a cat.\n")
expect_good(run --chat -p "Tell me of a cat." --system "Be kind." -n 20 -m chat.gguf)
set(answer "${out}")
tern(INPUT one_turn.txt chat --system "Be kind." -n 20 -m chat.gguf)
expect(status 0 "${status}")
expect(stderr "" "${err}")
expect(stdout "${answer}" "${out}")

# What was said before matters to the second answer; blank lines are no turns; the last line needs no end.
file(WRITE two_turns.txt "Tell me of a cat.\n\n   \nAnd of a dog.")
tern(INPUT two_turns.txt chat --system "Be kind." -n 20 -m chat.gguf)
expect(status 0 "${status}")
string(FIND "${out}" "${answer}" at)
expect("the first answer is at" 0 ${at})
string(LENGTH "${answer}" length)
string(SUBSTRING "${out}" ${length} -1 second)
expect_good(run --chat -p "And of a dog." --system "Be kind." -n 20 -m chat.gguf)
if(second STREQUAL out OR second STREQUAL "")
  message(SEND_ERROR "the second answer does not know of the first turn: '${second}'")
endif()

# Turns beyond the context push out the oldest ones, quietly: where two turns do not fit, every answer is
# that of a conversation of one, the system's text included.
string(REPEAT "Tell me of a cat.\n" 4 lines)
file(WRITE many_turns.txt "${lines}")
expect_good(run --chat -p "Tell me of a cat." --system "Be kind." -n 24 --ctx 120 -m chat.gguf)
string(REPEAT "${out}" 4 answers)
tern(INPUT many_turns.txt chat --system "Be kind." -n 24 --ctx 120 -m chat.gguf)
expect(status 0 "${status}")
expect(stderr "" "${err}")
expect(stdout "${answers}" "${out}")
# So do long answers while they are given, until one turn fills the context alone.
tern(INPUT many_turns.txt chat --ctx 120 --temp 5 --top-k 0 --top-p 1 -m chat.gguf)
expect(status 0 "${status}")
expect_match(stderr "^(tern: the context is full: 120 tokens; the answer ends here\n)+$" "${err}")
# A message that can never fit is told, and the conversation goes on.
string(REPEAT "cat " 100 long)
file(WRITE long_turn.txt "${long}\nTell me of a cat.\n")
tern(INPUT long_turn.txt chat -n 4 --ctx 100 -m chat.gguf)
expect(status 0 "${status}")
expect(stderr "tern: the context is full: 100 tokens; the message is too long\n" "${err}")
expect_match(stdout "[a-z]" "${out}")

# A template that is no published format is run as it is; its prompt is that of the same text, and of the
# two spaces that fill the entry.
write_chat_model(own.gguf "{% for m in messages %}{{ m.content }}{% endfor %}:")
expect_good(inspect own.gguf --json)
string(JSON format GET "${out}" tokenizer chat_format)
expect(chat_format template "${format}")
expect_good(run -p "Tell me of a cat.:  " -n 20 -m own.gguf)
set(answer "${out}")
expect_good(run --chat -p "Tell me of a cat." -n 20 -m own.gguf)
expect(stdout "${answer}" "${out}")
tern(INPUT one_turn.txt chat -n 20 -m own.gguf)
expect(stdout "${answer}" "${out}")

# What a template says against a conversation, and what tern says against a template.
write_chat_model(strict.gguf "{{ raise_exception('No cats') }}")
expect_failure(1 "prompt: No cats: the chat template refuses the conversation at byte 3"
  run --chat -p x -m strict.gguf)
write_chat_model(refused.gguf "{% include 'x' %}")
set(why "include: the chat template uses a statement that tern does not have at byte 3")
expect_failure(1 "refused.gguf: ${why}" chat -m refused.gguf)
expect_good(run -p x -n 1 -m refused.gguf)
expect_good(inspect refused.gguf --json)
string(JSON doubt GET "${out}" doubts 0)
expect(doubt "tokenizer.chat_template: ${why}" "${doubt}")
