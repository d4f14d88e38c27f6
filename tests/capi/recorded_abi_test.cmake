# Nothing that capi/abi records of the C ABI has changed; there may be more of it. The headers are compared
# by their text, the library with what abidw recorded.
#
#   cmake -DROOT=<checkout> [-DLIBRARY=libtern.so -DABIDIFF=abidiff] -P recorded_abi_test.cmake
cmake_minimum_required(VERSION 3.21)

# plain(OUT_CODE OUT_MACROS text): a header without comments, each space one, @ for its semicolons; its
# macros apart, one a line.
function(plain out_code out_macros text)
  string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " text "${text}")
  string(REGEX REPLACE "\\\\\n" " " text "${text}")
  string(REPLACE ";" "@" text "${text}")
  string(REGEX REPLACE "[ \t]+" " " text "${text}")
  string(REGEX MATCHALL "#define [^\n]*" macros "${text}")
  list(TRANSFORM macros STRIP)
  string(REGEX REPLACE "#[^\n]*" "" text "${text}")
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  set(${out_code} "${text}" PARENT_SCOPE)
  set(${out_macros} "${macros}" PARENT_SCOPE)
endfunction()

# changes(OUT old new): what a client of the old header could notice in the new one.
function(changes out old new)
  plain(old found "${old}")
  plain(new new_macros "${new}")
  list(FILTER found EXCLUDE REGEX "TERN_(VERSION_[A-Z]+|API|H_)( |$)")
  list(REMOVE_ITEM found ${new_macros} "")
  # Whole pieces: functions, and types that are no structs.
  foreach(pattern "TERN_API [^@]*\\)@" "typedef [^@{}]*@")
    string(REGEX MATCHALL "${pattern}" pieces "${old}")
    foreach(piece IN LISTS pieces)
      string(FIND "${new}" "${piece}" place)
      if(place EQUAL -1)
        list(APPEND found "${piece}")
      endif()
    endforeach()
  endforeach()
  string(REGEX MATCHALL "TERN_[A-Z0-9_]+ = -?[0-9]+" constants "${old}")
  foreach(piece IN LISTS constants)
    if(NOT new MATCHES "${piece}[ ,]")
      list(APPEND found "${piece}")
    endif()
  endforeach()
  # Structs: options may grow at their end.
  string(REGEX MATCHALL "typedef struct tern_[a-z_]+ {[^}]*}" structs "${old}")
  foreach(piece IN LISTS structs)
    if(piece MATCHES "^typedef struct tern_[a-z_]+_options ")
      string(REGEX REPLACE " }$" "" piece "${piece}")
    endif()
    string(FIND "${new}" "${piece}" place)
    if(place EQUAL -1)
      list(APPEND found "${piece}")
    endif()
  endforeach()
  list(LENGTH structs count)
  if(count LESS 6)
    list(APPEND found "${count} structs cannot be all")
  endif()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

file(READ "${ROOT}/capi/abi/recorded_tern.h" recorded)
file(READ "${ROOT}/capi/tern.h" header)
changes(found "${recorded}" "${header}")
foreach(piece IN LISTS found)
  message(SEND_ERROR "capi/tern.h lacks what was recorded: ${piece}")
endforeach()

# This test can fail, and it passes what is only more.
foreach(edit "float top_p@double top_p" "TERN_BUSY = 52@TERN_BUSY = 53" "int32_t role;@int32_t speaker;"
    "#define TERN_MAX_BIASES 512@#define TERN_MAX_BIASES 256" "size_t index),@int index),"
    "uint32_t batch;@uint32_t more, batch;" "TERN_API size_t tern_isa_count(void);@" "float bias;@float bias, more;")
  string(REGEX MATCH "^(.*)@(.*)$" edit "${edit}")
  string(REPLACE "${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}" edited "${recorded}")
  changes(found "${recorded}" "${edited}")
  if(NOT found)
    message(SEND_ERROR "this edit of the recorded header is not found: ${edit}")
  endif()
endforeach()
string(REPLACE "} tern_load_options" "  uint64_t more;\n} tern_load_options" edited "${recorded}")
string(REPLACE "  TERN_BUSY = 52," "  TERN_BUSY = 52, TERN_MORE = 59," edited "${edited}")
string(REPLACE "#define TERN_ABI_VERSION 1\n" "#define TERN_ABI_VERSION 1\nTERN_API void tern_more(void);\n" edited "${edited}")
changes(found "${recorded}" "${edited}")
if(found OR edited STREQUAL recorded)
  message(SEND_ERROR "an addition counts as a change: ${found}")
endif()

if(DEFINED ABIDIFF)
  execute_process(COMMAND ${ABIDIFF} --suppressions "${ROOT}/capi/abi/appended_options.suppr" --no-added-syms
    "${ROOT}/capi/abi/tern.abi" "${LIBRARY}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(SEND_ERROR "the ABI is not the recorded one (abidiff: ${status})\n${output}")
  endif()
endif()
