# What inspect doubts of models that load: conventions that their containers do not settle.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

write_models(.)

# doubts_of(model): sets `doubts`, a list, and `json`.
function(doubts_of model)
  expect_good(inspect ${model} --json)
  set(doubts)
  string(JSON n LENGTH "${out}" doubts)
  if(n GREATER 0)
    math(EXPR last "${n} - 1")
    foreach(i RANGE ${last})
      string(JSON doubt GET "${out}" doubts ${i})
      string(REPLACE ";" "," doubt "${doubt}")
      list(APPEND doubts "${doubt}")
    endforeach()
  endif()
  set(doubts "${doubts}" PARENT_SCOPE)
  set(json "${out}" PARENT_SCOPE)
endfunction()

# The Falcon 3 vocabularies, which other programs split otherwise and give a BOS.
foreach(name falcon3 falcon_e)
  doubts_of(${name}.gguf)
  expect("doubts of ${name}.gguf" "tokenizer.ggml.pre: ${name} is read as its makers do, other programs take it for llama3, and add BOS" "${doubts}")
  string(JSON is GET "${json}" conventions add_bos is)
  expect("add_bos of ${name}.gguf" no "${is}")
endforeach()

# Whether a text begins with BOS, where the file does not say.
doubts_of(llama-bpe.gguf)
expect("doubts of llama-bpe.gguf" "tokenizer.ggml.add_bos_token: absent, taken to be true" "${doubts}")
string(JSON is GET "${json}" conventions add_bos is)
string(JSON from GET "${json}" conventions add_bos from)
expect("add_bos of llama-bpe.gguf" "yes by the tokenizer's kind" "${is} by ${from}")
doubts_of(said.gguf)
expect("doubts of said.gguf" "" "${doubts}")
string(JSON from GET "${json}" conventions add_bos from)
expect("source of add_bos" tokenizer.ggml.add_bos_token "${from}")
doubts_of(gpt-2.gguf)
expect("doubts of gpt-2.gguf" "" "${doubts}")

# Activations have their names.
doubts_of(gemma3.gguf)
string(JSON is GET "${json}" conventions activation is)
expect("activation of gemma3.gguf" gelu_pytorch_tanh "${is}")

# Scales of the size that the other convention has.
if(NOT WITH_JSON)
  return()
endif()
set(no_text "no vocabulary: the model runs on token ids only")
foreach(row "direct" "inverse"
    "large_scales|above one, as if inverse, but read as it is: linear_class is autobitlinear"
    "small_scales|below one, as if direct, but read as inverse: linear_class is not autobitlinear")
  string(REPLACE "|" ";" row "${row}")
  list(POP_FRONT row folder doubt)
  doubts_of(${folder})
  set(expected "${no_text}")
  if(doubt)
    list(APPEND expected "weight_scale: ${doubt}")
  endif()
  expect("doubts of ${folder}" "${expected}" "${doubts}")
endforeach()
