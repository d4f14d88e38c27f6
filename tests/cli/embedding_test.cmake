# tern embed: vectors as JSON, the same alone and in a file of lines; models of the other kind are refused.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

write_models(embedding.gguf windowed.gguf)

# vector(text): its elements, of an array of one.
function(vector text)
  expect_good(embed -m embedding.gguf -p "${text}")
  string(JSON texts LENGTH "${out}")
  expect(texts 1 "${texts}")
  string(JSON elements GET "${out}" 0)
  string(JSON width LENGTH "${elements}")
  expect(width 256 "${width}")
  set(elements "${elements}" PARENT_SCOPE)
endfunction()

vector("the cat")
set(cat "${elements}")
vector("there")
set(there "${elements}")
if(cat STREQUAL there)
  message(SEND_ERROR "two texts have one embedding")
endif()
# An empty text is its end alone.
shell("$TERN embed -m embedding.gguf -p ''")
expect(status 0 "${status}")
string(JSON empty GET "${out}" 0)

file(WRITE lines.txt "the cat\n\nthere\r\nthe cat")
foreach(more "" "-t;2" "--batch;3" "--isa;scalar" "--ctx;9")
  expect_good(embed -m embedding.gguf -f lines.txt ${more})
  string(JSON texts LENGTH "${out}")
  expect(texts 4 "${texts}")
  foreach(pair "0;${cat}" "1;${empty}" "2;${there}" "3;${cat}")
    list(POP_FRONT pair index)
    list(JOIN pair ";" wanted)
    string(JSON found GET "${out}" ${index})
    expect("text ${index}" "${wanted}" "${found}")
  endforeach()
endforeach()
tern(INPUT lines.txt embed -m embedding.gguf -f -)
expect(status 0 "${status}")

file(WRITE long.txt "a\nsome more\n")
expect_failure(2 "embed: needs one of -p and -f" embed -m embedding.gguf)
expect_failure(1 "embedding.gguf: a text is longer than the context at index 6"
               embed -m embedding.gguf -f long.txt --ctx 4)
expect_failure(1 "@stories: the model gives logits, not embeddings" embed -p "a text")
expect_failure(1 "embedding.gguf: the model gives embeddings, not logits"
               run -m embedding.gguf -p "a text")
expect_failure(1 "embedding.gguf: the model gives embeddings, not logits"
               logits -m embedding.gguf --tokens "1 2" -o out.f32)

# What inspect says of both: all tensors are known, and what was taken for granted is told.
expect_good(inspect embedding.gguf --json)
string(JSON doubts GET "${out}" doubts)
if(doubts MATCHES "not part of|not in the file|activation_bits|window")
  message(SEND_ERROR "inspect doubts a good model: ${doubts}")
endif()
expect_good(inspect windowed.gguf --json)
string(JSON doubts GET "${out}" doubts)
expect_match(doubts "attention.sliding_window: the context ends with the window, at 24 positions" "${doubts}")
expect_match(doubts "tern.activation_bits: absent, taken to be 16" "${doubts}")
