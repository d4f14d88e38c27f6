# convert of Hugging Face folders, packed and of bf16 weights that become trits at load: every form that
# it makes gives the logits of the folder, and of the GGUF file of the same model, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

write_models(.)

# logits_of(VARIABLE argument...): the hash of the logits that a model gives.
function(logits_of variable)
  file(REMOVE x.f32)
  expect_good(logits --tokens "3 1 4 1 5 9 2 6 5 3 58 9" -o x.f32 ${ARGN})
  file(SHA256 x.f32 hash)
  set(${variable} ${hash} PARENT_SCOPE)
endfunction()

foreach(architecture bitnet-b1.58 bitnet llama qwen3 gemma3 trilm)
  set(forms packed inverse online)
  if(architecture MATCHES "qwen3|gemma3")
    set(forms online)  # those models are stored so
  elseif(architecture STREQUAL "trilm")
    set(forms exact)
  endif()
  logits_of(expected -m ${architecture}.gguf)
  foreach(form IN LISTS forms)
    set(folder ${architecture}-${form})
    logits_of(hash -m ${folder})
    expect("logits of ${folder}" ${expected} ${hash})
    foreach(weights t2 t5 tq1_0 tq2_0 i2_s f16)
      set(file ${folder}.gguf)
      if(weights MATCHES "^t[25]$")
        set(file ${folder}.tern)
      endif()
      tern(convert ${folder} ${file} --weights ${weights})
      expect(status 0 "${status}")
      string(REGEX REPLACE "tern: [a-z_]+\\.weight: BF16 is written as F16, exact in every value\n" "" err "${err}")
      set(held ${weights})
      if(architecture STREQUAL "trilm" AND weights STREQUAL "i2_s")
        set(held f16)
        string(REPLACE
          "tern: blk.0.attn_q.weight and 13 more: written as F16: it has more scales than the type\n" "" err "${err}")
      endif()
      if(err)
        message(SEND_ERROR "${call}\nstderr: ${err}")
      endif()
      logits_of(hash -m ${file})
      expect("logits of ${file} of ${weights}" ${expected} ${hash})
      expect_good(inspect ${file} --json)
      string(TOUPPER ${held} upper)
      string(FIND "${out}" "\"type\": \"${upper}\"" at)
      if(at EQUAL -1)
        message(SEND_ERROR "${file} of ${weights} has no tensor of ${upper}")
      endif()
    endforeach()
  endforeach()
endforeach()

# Scales that are means, which no f16 is: by itself a GGUF file is I2_S, the folder bit for bit.
logits_of(expected -m mean-scaled)
tern(convert mean-scaled chosen.gguf)
expect(status 0 "${status}")
expect_match(stderr
  "^tern: linear layers are written as I2_S: blk.0.attn_q.weight: a scale is not exact in f16, which TQ2_0 has .--round-scales rounds.\n"
  "${err}")
logits_of(hash -m chosen.gguf)
expect("logits of chosen.gguf" ${expected} ${hash})
expect_failure(1
  "mean-scaled: blk.0.attn_q.weight: a scale is not exact in f16: i2_s or a tern file can hold it; round_scales rounds it"
  convert mean-scaled x.gguf --weights tq2_0)
tern(convert mean-scaled rounded.gguf --round-scales)
expect(status 0 "${status}")
expect_match(stderr
  "^tern: linear layers are written as TQ2_0\ntern: 14 scales of 14 linear layers are rounded to f16\n"
  "${err}")
logits_of(rounded -m rounded.gguf)
foreach(weights tq1_0 tq2_0 f16)
  tern(convert mean-scaled rounded.gguf --weights ${weights} --round-scales)
  expect(status 0 "${status}")
  logits_of(hash -m rounded.gguf)
  expect("logits of rounded.gguf of ${weights}" ${rounded} ${hash})
endforeach()
