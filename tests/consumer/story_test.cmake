# examples/hello.c tells the story that it told everywhere else, byte for byte.
#
#   cmake -DPROGRAM=hello [-DEMULATOR=...] -DMODEL=<file> -DSTORY=story.txt -P story_test.cmake
cmake_minimum_required(VERSION 3.21)
execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${MODEL} OUTPUT_VARIABLE output ERROR_VARIABLE errors
  RESULT_VARIABLE status)
string(REPLACE "\r\n" "\n" output "${output}")  # how the C library of Windows ends a line
file(READ "${STORY}" story)
if(NOT status EQUAL 0 OR NOT output STREQUAL story)
  message(FATAL_ERROR "${PROGRAM} gives ${status}, ${errors}\n${output}\nnot this:\n${story}")
endif()
