# run and chat with --grammar and --json-schema: the text is what the file says, however tokens are drawn.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

set(greedy --temp 0)
set(seeded --seed 7)
set(wild --temp 5 --top-k 0 --top-p 1 --seed 8)

# A choice of words ends by itself, and is no failure.
file(WRITE answer.gbnf "root ::= \"yes\" | \"no\"\n")
foreach(way greedy seeded wild)
  expect_good(run -p "Once upon a time" --grammar answer.gbnf ${${way}})
  expect_match("an answer" "^(yes|no)\n$" "${out}")
endforeach()
file(WRITE prompt.txt "Once upon a time")
tern(INPUT prompt.txt run -p - --grammar answer.gbnf)
expect_match("an answer to standard input" "^(yes|no)\n$" "${out}")
shell("$TERN run -p '' --grammar answer.gbnf")
expect_match("an answer to nothing" "^(yes|no)\n$" "${out}")
file(WRITE nothing.gbnf "root ::= \"\"\n")
expect_good(run -p x --grammar nothing.gbnf)
expect(stdout "\n" "${out}")
# A grammar that leaves everything open leaves the text as it is without one.
file(WRITE anything.gbnf "root ::= .*\n")
expect_good(run -p "Once upon a time" -n 20)
set(free "${out}")
expect_good(run -p "Once upon a time" -n 20 --grammar anything.gbnf)
expect(stdout "${free}" "${out}")

# Every answer of a conversation obeys, also where the context forgets turns.
write_chat_model(chat.gguf "<|im_start|><|im_end|>")
string(REPEAT "Was the cat happy?\n" 3 turns)
file(WRITE turns.txt "${turns}")
tern(INPUT turns.txt chat --grammar answer.gbnf -m chat.gguf --ctx 100)
expect(status 0 "${status}")
expect(stderr "" "${err}")
expect_match("three answers" "^((yes|no)\n)(yes|no)\n(yes|no)\n$" "${out}")

# What is wrong with a file is one line, with its place.
function(expect_refused option file content line)
  file(WRITE ${file} "${content}")
  foreach(command "run;-p;x" chat)
    expect_failure(1 "${file}: ${line}" ${command} ${option} ${file} -m chat.gguf)
  endforeach()
endfunction()
expect_refused(--grammar cut.gbnf "root ::= \"yes" "a text without an end at byte 13")
expect_refused(--grammar lacks.gbnf "root ::= answer\n"
  "answer: the grammar has no rule of that name at byte 9")
expect_refused(--grammar circle.gbnf "root ::= \"x\" | root \"x\"\n"
  "root: a rule of the grammar begins with itself at byte 0")
expect_failure(1 "none.gbnf: no such file" run -p x --grammar none.gbnf)
foreach(command "run;-p;x" chat)
  expect_failure(2 "--json-schema: does not go with --grammar"
    ${command} --grammar answer.gbnf --json-schema person.json)
endforeach()

if(NOT WITH_JSON)
  return()
endif()
expect_refused(--json-schema cut.json "{\"type\":" "not valid JSON at byte 8")
expect_refused(--json-schema pattern.json "{\"pattern\": \"a+\"}"
  "pattern: the schema keyword is not supported at byte 16")

# JSON of a schema.
file(WRITE person.json [[{
  "type": "object",
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 12},
    "age": {"type": "integer", "minimum": 3, "maximum": 99},
    "mood": {"enum": ["happy", "sad"]},
    "friends": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3}
  },
  "required": ["name", "age", "mood", "friends"],
  "additionalProperties": false
}]])
foreach(way greedy seeded wild)
  expect_good(run -p "Once upon a time" --json-schema person.json -n 400 ${${way}})
  string(JSON members ERROR_VARIABLE why LENGTH "${out}")
  expect("members, or why it is no JSON: ${why}" 4 "${members}")
  foreach(row "name;STRING" "age;NUMBER" "mood;STRING" "friends;ARRAY")
    list(GET row 0 name)
    list(GET row 1 expected)
    string(JSON type ERROR_VARIABLE why TYPE "${out}" ${name})
    expect("type of ${name}: ${why}" ${expected} "${type}")
  endforeach()
  string(JSON age GET "${out}" age)
  if(age LESS 3 OR age GREATER 99)
    message(SEND_ERROR "${call}\nan age of ${age}")
  endif()
  string(JSON mood GET "${out}" mood)
  expect_match("mood" "^(happy|sad)$" "${mood}")
endforeach()
