# Records the C ABI as it is: capi/abi/recorded_tern.h, the header without its comments, and capi/abi/tern.abi,
# what abidw says of the types and functions in it. At a release; tests compare every later library with both.
#
#   cmake -DROOT=<checkout> -DOUT=<folder> [-DCC=cc] -P record_abi.cmake
#
# abidw reads the debug information of a library. That of libtern.so would drag the C++ behind each handle
# along, so the library is one of the header alone, with functions that do nothing.
cmake_minimum_required(VERSION 3.21)
if(NOT DEFINED CC)
  set(CC cc)
endif()

file(READ "${ROOT}/capi/tern.h" header)
string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " header "${header}")
string(REGEX MATCHALL "\nTERN_API [^;]*\\);" functions "${header}")
string(REPLACE ");" ") { __builtin_trap(); }\n" functions "${functions}")
string(REPLACE ";" "" functions "${functions}")
string(REPLACE "__builtin_trap()" "__builtin_trap();" functions "${functions}")
file(WRITE "${OUT}/recorded_functions.c" "#include \"tern.h\"\n${functions}")

string(REGEX MATCH "TERN_ABI_VERSION ([0-9]+)" version "${header}")
execute_process(COMMAND ${CC} -std=c99 -g -shared -fPIC "-I${ROOT}/capi" "${OUT}/recorded_functions.c"
  "-Wl,--version-script=${ROOT}/capi/tern.map" -Wl,-soname,libtern.so.${CMAKE_MATCH_1}
  -o "${OUT}/recorded.so" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND abidw --no-show-locs --no-comp-dir-path --no-corpus-path --no-elf-needed
  --type-id-style hash --out-file "${ROOT}/capi/abi/tern.abi" "${OUT}/recorded.so"
  COMMAND_ERROR_IS_FATAL ANY)
file(READ "${ROOT}/capi/abi/tern.abi" abi)
string(REGEX REPLACE " path='[^']*'" "" abi "${abi}")
file(WRITE "${ROOT}/capi/abi/tern.abi" "${abi}")
string(REGEX REPLACE "[ \t]+\n" "\n" header "${header}")
string(REGEX REPLACE "\n\n+" "\n" header "${header}")
string(REGEX REPLACE "^\n+" "" header "${header}")
file(WRITE "${ROOT}/capi/abi/recorded_tern.h"
  "/* What cmake/record_abi.cmake recorded of capi/tern.h. Clients include that. */\n${header}")
