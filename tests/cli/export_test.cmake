# convert to GGUF: other types that give the same bits, in any order of conversions, and nothing half done.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

set(tokens "2046 471 481 258 415 11 402 284 258 404 473 644 489 13 338 351 258 983 774 346 332 629 397 716")

# logits_of(VARIABLE argument...): the hash of the logits that a model gives.
function(logits_of variable)
  file(REMOVE x.f32)
  expect_good(logits --tokens "${tokens}" -o x.f32 ${ARGN})
  file(SHA256 x.f32 hash)
  set(${variable} ${hash} PARENT_SCOPE)
endfunction()

# same_bytes(a b): two files are equal.
function(same_bytes a b)
  file(SHA256 ${a} expected)
  file(SHA256 ${b} actual)
  expect("bytes of ${b} and ${a}" ${expected} ${actual})
endfunction()

logits_of(expected -m ${STORIES})
expect_good(convert ${STORIES} t2.tern --weights t2)
expect_good(convert ${STORIES} t5.tern --weights t5)
set(file_type_f16 1)
set(file_type_tq1_0 36)
set(file_type_tq2_0 37)
set(file_type_i2_s 40)
foreach(type tq1_0 tq2_0 i2_s f16)
  expect_good(convert ${STORIES} ${type}.gguf --weights ${type})
  expect(stdout "" "${out}")
  logits_of(hash -m ${type}.gguf)
  expect("logits of ${type}.gguf" ${expected} ${hash})
  # From a tern file as from the file that it was made of; and made again of itself.
  foreach(source t2.tern t5.tern ${type}.gguf)
    expect_good(convert ${source} again.gguf --weights ${type})
    same_bytes(${type}.gguf again.gguf)
  endforeach()
  expect_good(convert ${type}.gguf again.tern --weights t5)
  logits_of(hash -m again.tern)
  expect("logits of the tern file of ${type}.gguf" ${expected} ${hash})
  expect_good(inspect ${type}.gguf --json)
  string(JSON file_type GET "${out}" metadata general.file_type)
  expect("file type of ${type}.gguf" ${file_type_${type}} ${file_type})
  string(JSON found GET "${out}" tensors 3 type)
  string(TOUPPER ${type} upper)
  string(JSON name GET "${out}" tensors 8 name)
  expect_match("a linear layer" "^blk.0.(attn|ffn)_[a-z_]+.weight$" "${name}")
  string(FIND "${out}" "\"type\": \"${upper}\"" at)
  if(at EQUAL -1)
    message(SEND_ERROR "${type}.gguf has no tensor of ${upper}")
  endif()
endforeach()

# A name that says GGUF is enough; text comes out as before; a q6 head is in GGUF too.
tern(convert t5.tern named.gguf)
expect(status 0 "${status}")
expect(stderr "tern: linear layers are written as TQ2_0\n" "${err}")
same_bytes(tq2_0.gguf named.gguf)
expect_good(run -p "The little cat" -n 12 --seed 3 -m ${STORIES})
set(text "${out}")
expect_good(run -p "The little cat" -n 12 --seed 3 -m named.gguf)
expect(stdout "${text}" "${out}")
logits_of(expected_q6 -m ${STORIES} --head q6)
expect_good(convert ${STORIES} q6.gguf --weights tq1_0 --head q6)
logits_of(hash -m q6.gguf)
expect("logits of q6.gguf" ${expected_q6} ${hash})

# For which program a file is: the architecture keeps its name.
expect_good(convert --help)
expect_match(help "bitnet-b1.58 [^\n]+ are for bitnet.cpp" "${out}")
expect_good(inspect tq2_0.gguf --json)
string(JSON architecture GET "${out}" architecture)
expect("architecture of tq2_0.gguf" bitnet-b1.58 "${architecture}")

# What cannot be held is refused by name, what contradicts itself as usage.
expect_failure(2 "--weights: i2_s is for GGUF files, and x.tern is named otherwise"
  convert @stories x.tern --weights i2_s)
expect_failure(2 "--weights: t5 is for tern files, and x.gguf is named otherwise"
  convert @stories x.gguf --weights t5)
expect_failure(2 "--head: i8 is for tern files" convert @stories x.gguf --head i8)
expect_good(convert ${STORIES} i8.tern --head i8)
expect_failure(1
  "i8.tern: token_embd.weight: int8 rows with a scale a row are of tern files alone; q6 is in GGUF too"
  convert i8.tern x.gguf)
file(GLOB left x.gguf x.tern *.partial)
expect("files of failed conversions" "" "${left}")

# Scales of random models are no powers of two: f16 does not hold them all, I2_S does.
expect_good(synth --shape 125m -o random.tern --weights t5)
tern(convert random.tern random.gguf --weights tq2_0)
expect(status 1 "${status}")
expect_match(stderr
  "^tern: random.tern: blk.0.attn_q.weight: a scale is not exact in f16: i2_s or a tern file can hold it; round_scales rounds it\n$"
  "${err}")
expect_good(convert random.tern random.gguf --weights i2_s)
expect_good(logits --tokens "1 2 3" -m random.tern -o random.f32)
expect_good(logits --tokens "1 2 3" -m random.gguf -o x.f32)
same_bytes(random.f32 x.f32)
# Unasked it is I2_S, which is said.
tern(convert random.tern chosen.gguf)
expect(status 0 "${status}")
expect(stderr
  "tern: linear layers are written as I2_S: blk.0.attn_q.weight: a scale is not exact in f16, which TQ2_0 has (--round-scales rounds)\n"
  "${err}")
same_bytes(random.gguf chosen.gguf)
# Asked to, it rounds, and says how many (some happen to be exact); what was rounded once is exact.
foreach(type tq1_0 tq2_0 f16)
  tern(convert random.tern random.gguf --weights ${type} --round-scales)
  expect(status 0 "${status}")
  expect(stderr "tern: 77 scales of 77 linear layers are rounded to f16\n" "${err}")
  expect_good(convert random.gguf again.gguf --weights ${type})
  same_bytes(random.gguf again.gguf)
endforeach()
expect_failure(2 "--round-scales: is for GGUF files" convert @stories x.tern --round-scales)

# Where a person watches, bars of loading and of writing, wiped away at the end.
find_program(SCRIPT script)
if(SCRIPT AND CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux")
  shell("COMMAND=\"$TERN convert ${STORIES} watched.gguf --weights i2_s\"; ${SCRIPT} -qec \"$COMMAND\" /dev/null < /dev/null")
  expect(status 0 "${status}")
  expect_match("bars" "load .[ =]+. +[0-9]+ %.*load .=+. 100 %.*\r.\\[K.*convert .=+. 100 %\r.\\[K$" "${out}")
endif()

# Interrupted while it writes: nothing is left.
expect_good(synth --shape 700m -o random.tern)
shell("$TERN convert random.tern cut.gguf --weights i2_s & pid=$!; while kill -0 $pid && [ ! -s cut.gguf.partial ]; do sleep 0.01; done; kill -INT $pid; wait $pid")
set(call "convert, interrupted")
expect(status 130 "${status}")
expect(stderr "" "${err}")
if(EXISTS cut.gguf OR EXISTS cut.gguf.partial)
  message(SEND_ERROR "an interrupted conversion left a file")
endif()
file(REMOVE random.tern random.gguf again.gguf chosen.gguf)
