# A broken model file is exit 1 and one line that names it; nothing crashes.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)
file(SIZE ${STORIES} size)

# expect_one_line(file): the failure of a file whose defect is somewhere in it.
function(expect_one_line file)
  expect(stdout "" "${out}")
  string(REPLACE "." "\\." name ${file})
  expect_match(stderr "^tern: ${name}: [^\n]+\n$" "${err}")
endfunction()

expect_failure(1 "absent.gguf: no such file" run -p x -m absent.gguf)
expect_failure(1 "absent.txt: no such file" perplexity -f absent.txt)
file(MAKE_DIRECTORY plain_folder hf_folder)
expect_failure(1 "plain_folder: config.json: not in this folder; name a GGUF file itself" run -p x -m plain_folder)
file(WRITE hf_folder/config.json "{}")
foreach(command "run;-p;x;-m" "tokenize;-p;x;-m" inspect)
  expect_failure(1 "hf_folder: model.safetensors: no such file"
    ${command} hf_folder)
endforeach()
file(WRITE magic.gguf "GGML, or so it says")
expect_failure(1 "magic.gguf: not a GGUF file at byte 0" inspect magic.gguf)

foreach(bytes 0 3 4 7 12 23 24 100 5000 63295 63296 1000000)
  shell("head -c ${bytes} ${STORIES} > cut.gguf")
  foreach(command "logits;--tokens;1;-o;never.f32;-m" inspect)
    tern(${command} cut.gguf)
    expect(status 1 "${status}")
    expect_one_line(cut.gguf)
  endforeach()
endforeach()
if(EXISTS never.f32 OR EXISTS never.f32.partial)
  message(SEND_ERROR "a failed command left a file")
endif()

# A flipped byte may change a weight and nothing else; then all is well. Otherwise it is told.
math(EXPR last "${size} - 1")
foreach(at 0 4 8 9 15 16 24 31 32 47 60 90 150 400 1200 40000 60000 61000 62000 63000 1112896 ${last})
  math(EXPR rest "${at} + 2")
  shell("{ head -c ${at} ${STORIES}; printf '\\377'; tail -c +${rest} ${STORIES}; } > flipped.gguf")
  tern(logits --tokens "1 2" -o flipped.f32 -m flipped.gguf)
  if(status EQUAL 0)
    expect(stderr "" "${err}")
  else()
    expect(status 1 "${status}")
    expect_one_line(flipped.gguf)
  endif()
endforeach()

# What the file says no longer fits what was asked.
expect_failure(1 "--tokens: the model has no token 2048: its ids end at 2047"
  logits --tokens "1 2048" -o never.f32)
expect_failure(1 "--decode: a token id is outside the vocabulary at index 1" tokenize --decode "1 9999")
expect_failure(1 "--tokens: 3 tokens, but the context holds 2" logits --tokens "1 2 3" -o x.f32 --ctx 2)
expect_failure(1 "no_such_folder/x.f32: cannot write" logits --tokens 1 -o no_such_folder/x.f32)
tern(run -p "Once upon a time there was" --ctx 3)
expect(status 1 "${status}")
expect_match(stderr "^tern: prompt: [0-9]+ tokens, but the context holds 3\n$" "${err}")
