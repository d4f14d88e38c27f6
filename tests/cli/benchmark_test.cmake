# tern bench: its fields, for a file and for a shape; what is not measured is null. No rate is judged
# here: that would be timing.
include(${CMAKE_CURRENT_LIST_DIR}/run_program.cmake)

# check_line(name_key name): one measured line of `out` has every field that scripts rely on.
function(check_line name_key name)
  string(JSON lines LENGTH "${out}")
  expect("lines" 1 "${lines}")
  string(JSON value GET "${out}" 0 ${name_key})
  expect(${name_key} "${name}" "${value}")
  foreach(key isa packing head kv)
    string(JSON type TYPE "${out}" 0 ${key})
    expect("type of ${key}" STRING "${type}")
  endforeach()
  foreach(key threads prompt_tokens gen_tokens depth prefill_tok_s decode_tok_s bytes_per_token kv_bytes
          bandwidth_gb_s bandwidth_share int8_peak_share read_limit_gb_s int8_limit_gmac_s
          peak_rss_bytes load_ms)
    string(JSON type TYPE "${out}" 0 ${key})
    expect("type of ${key}" NUMBER "${type}")
  endforeach()
endfunction()

expect_good(bench -t 1 -p 20 -n 3 --repeat 1 --format json)
check_line(model @stories)
string(JSON value GET "${out}" 0 prompt_tokens)
expect(prompt_tokens 20 "${value}")

expect_good(bench --shape 125m -t 1 -p 0 -n 2 --repeat 1 --packing t5 --head i8 --kv i8 --format json)
string(JSON value GET "${out}" 0 shape)
expect(shape 125m "${value}")
foreach(pair packing=t5 head=i8 kv=i8 threads=1)
  string(REGEX MATCH "^([a-z]+)=(.*)$" ignored ${pair})
  string(JSON value GET "${out}" 0 ${CMAKE_MATCH_1})
  expect(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}" "${value}")
endforeach()
# 11 layers of 4 * 768^2 + 3 * 768 * 3072 weights in blocks of 16 x 20, and an int8 head: exact, since
# SiLU skips nothing. 768 and 3072 columns are 39 and 154 blocks.
math(EXPR body "11 * 64 * (4 * 48 * 39 + 2 * 192 * 39 + 48 * 154)")
math(EXPR bytes "${body} + 32002 * 768")
string(JSON value GET "${out}" 0 bytes_per_token)
expect(bytes_per_token ${bytes} "${value}")
# 12 heads of 64 in 11 layers: codes and a unit of two bytes, keys and values, two positions.
math(EXPR kv_bytes "2 * 2 * 11 * 12 * (64 + 2)")
string(JSON value GET "${out}" 0 kv_bytes)
expect(kv_bytes ${kv_bytes} "${value}")
foreach(key prefill_tok_s gate_zero_share int8_peak_share)
  string(JSON type TYPE "${out}" 0 ${key})
  expect("type of ${key}" NULL "${type}")
endforeach()

expect_good(bench -t 1 -p 4 -n 2 --repeat 1)
expect_match(table "model +isa +packing +head +threads +prefill +decode" "${out}")
expect_match(table "\n@stories +[a-z0-9_]+ +t[25] " "${out}")

expect_failure(2 "--shape 5b: no such shape" bench --shape 5b)
expect_failure(1 "--shape mmfree-370m: not supported in this version" bench --shape mmfree-370m)
expect_failure(2 "-t: must be numbers from 1 to 1024 with commas between" bench -t 1,,2)
expect_failure(2 "-t: must be numbers from 1 to 1024 with commas between" bench -t 0)
expect_failure(2 "--format: must be table or json" bench --format xml)
expect_failure(2 "--packing: must be one of t2, t5, not 't3'" bench --packing t3)
expect_failure(2 "-n: there is nothing to measure without a prompt and tokens to decode"
  bench -p 0 -n 0)
