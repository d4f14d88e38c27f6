# What every test of the program shares: running it, and comparing what came out.
#
# Given: TERN the program, EMULATOR what runs it in a cross build, VERSION, STORIES the model file that
# is built in, MODEL_WRITER what writes a test's own models, SHARED the folder of fixtures, REQUIRE_SHARED.
# A test runs in a folder of its own.
cmake_minimum_required(VERSION 3.21)
set(ENV{TERN_ISA} "")

# Lists of CMake drop empty arguments: use --option= or shell() for those.

# tern([INPUT file] argument...): runs it; sets `status`, `out`, `err` and, for messages, `call`.
function(tern)
  cmake_parse_arguments(arg "" "INPUT" "" ${ARGN})
  set(input)
  if(arg_INPUT)
    set(input INPUT_FILE ${arg_INPUT})
  endif()
  execute_process(COMMAND ${EMULATOR} ${TERN} ${arg_UNPARSED_ARGUMENTS} ${input}
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  set(call "tern ${arg_UNPARSED_ARGUMENTS}" PARENT_SCOPE)
  set(status "${status}" PARENT_SCOPE)
  set(out "${out}" PARENT_SCOPE)
  set(err "${err}" PARENT_SCOPE)
endfunction()

# write_models(argument...): has MODEL_WRITER write the models of a test.
function(write_models)
  execute_process(COMMAND ${EMULATOR} ${MODEL_WRITER} ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the models could not be written: ${status}")
  endif()
endfunction()

# shell(line): runs a line of sh, in which $TERN is the program; sets as tern().
function(shell line)
  list(JOIN EMULATOR " " emulator)
  execute_process(COMMAND sh -c "TERN='${emulator} ${TERN}'; ${line}"
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  set(call "${line}" PARENT_SCOPE)
  set(status "${status}" PARENT_SCOPE)
  set(out "${out}" PARENT_SCOPE)
  set(err "${err}" PARENT_SCOPE)
endfunction()

# expect(what expected actual): equal, to the byte.
function(expect what expected actual)
  if(NOT "x${actual}" STREQUAL "x${expected}")
    message(SEND_ERROR "${call}\n${what}: expected '${expected}', got '${actual}'\nstderr: ${err}")
  endif()
endfunction()

function(expect_match what regex actual)
  if(NOT "${actual}" MATCHES "${regex}")
    message(SEND_ERROR "${call}\n${what}: '${actual}' does not match '${regex}'")
  endif()
endfunction()

# expect_good(argument...): status 0 and nothing on standard error; sets `out`.
function(expect_good)
  tern(${ARGN})
  expect(status 0 "${status}")
  expect(stderr "" "${err}")
  set(out "${out}" PARENT_SCOPE)
endfunction()

# expect_failure(status line argument...): that status, that line after "tern: ", and no results.
function(expect_failure expected_status line)
  tern(${ARGN})
  expect(status ${expected_status} "${status}")
  expect(stdout "" "${out}")
  expect(stderr "tern: ${line}\n" "${err}")
endfunction()

# write_chat_model(file template): the story model made to believe that it has a chat format. One more
# metadata entry, tokenizer.chat_template, in front of the others: 96 bytes, so that the padding behind the
# metadata stays as it is. The file has 22 entries without it.
function(write_chat_model file template)
  shell("{ head -c 16 ${STORIES}; printf '\\027\\0\\0\\0\\0\\0\\0\\0'; \
printf '\\027\\0\\0\\0\\0\\0\\0\\0tokenizer.chat_template'; \
printf '\\010\\0\\0\\0\\065\\0\\0\\0\\0\\0\\0\\0%-53s' \"${template}\"; \
tail -c +25 ${STORIES}; } > ${file}")
  expect(status 0 "${status}")
endfunction()

# need_shared(): ends the test where the fixtures are absent, unless they must be there.
macro(need_shared)
  if(NOT EXISTS ${SHARED}/models)
    if(REQUIRE_SHARED)
      message(FATAL_ERROR "no fixtures in ${SHARED}")
    endif()
    message("SKIPPED: no fixtures in ${SHARED}")
    return()
  endif()
endmacro()
