# A program tells the story that is told everywhere else, byte for byte.
#
#   cmake -DPROGRAM=hello [-DEMULATOR=...] -DSTORY=story.txt [-DBEGINNING="Once upon a time"
#         -DINPUT=scratch.txt] -P story_test.cmake arguments of the program...
#
# With BEGINNING the program reads it from standard input, twice, and tells what follows, twice.
cmake_minimum_required(VERSION 3.21)
set(arguments)
set(is_argument OFF)
foreach(i RANGE 1 ${CMAKE_ARGC})
  if(is_argument AND i LESS CMAKE_ARGC)
    list(APPEND arguments "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL CMAKE_CURRENT_LIST_FILE)
    set(is_argument ON)
  endif()
endforeach()
file(READ "${STORY}" story)
set(input)
if(BEGINNING)
  string(LENGTH "${BEGINNING}" length)
  string(SUBSTRING "${story}" ${length} -1 story)
  string(REPEAT "${story}" 2 story)
  file(WRITE "${INPUT}" "${BEGINNING}\n${BEGINNING}\n")
  set(input INPUT_FILE "${INPUT}")
endif()
execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${arguments} ${input}
  OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE status)
string(REPLACE "\r\n" "\n" output "${output}")  # how the C library of Windows ends a line
if(NOT status EQUAL 0 OR NOT output STREQUAL story)
  message(FATAL_ERROR "${PROGRAM} gives ${status}, ${errors}\n${output}\nnot this:\n${story}")
endif()
