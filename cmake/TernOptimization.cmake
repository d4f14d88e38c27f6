# How hard the compiler works on each source of the library, and which are compiled together: the one
# place that says so (docs/adr/0018-optimization-by-source.md, docs/packaging.md).
#
# CMake's own Release has -O3 for everything, which doubles the size and the compile time of the library and
# speeds up nothing but the loops named here. A host who names a level himself, in CMAKE_CXX_FLAGS or by
# other CMAKE_CXX_FLAGS_RELEASE, gets what he names.

# Loops over every weight of a model, every byte of a text.
set(TERN_HOT_SOURCES
  src/engine/sampler.cpp
  src/quant/plane_codec.cpp
  src/quant/ternary_source.cpp
  src/quant/trit_packer.cpp
  src/text/tokenizer.cpp
  src/text/vocabulary_merges.cpp)
set(TERN_HOT_LEVEL -O3)
# Loops over every token of a vocabulary, when it is loaded or searched: no faster with what -O3 adds.
set(TERN_WARM_SOURCES
  src/engine/head_search.cpp
  src/format/json.cpp
  src/text/vocabulary.cpp)
set(TERN_WARM_LEVEL -O2)
# Float arithmetic and vectors. What counts most is unrolled by pragma; of what -O3 adds, the loops of fixed
# length and those over bytes need two optimizations of g++ (clang's -O2 has them), the rest is copies.
set(TERN_KERNEL_LEVEL -O2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND TERN_KERNEL_LEVEL
    -fpeel-loops --param=max-completely-peeled-insns=100 -fvect-cost-model=dynamic)
endif()
# All else: what is run once a model, a call or a step, between loops of the above.
set(TERN_OTHER_LEVEL -Os)

string(REGEX REPLACE "^ *-O3 -DNDEBUG *$" "" TERN_NAMED_LEVEL "${CMAKE_CXX_FLAGS_RELEASE}")
if("${TERN_NAMED_LEVEL} ${CMAKE_CXX_FLAGS}" MATCHES "(^| )-O([0-9sgz]|fast)?( |$)")
  set(TERN_LEVELS_BY_SOURCE OFF)
else()
  set(TERN_LEVELS_BY_SOURCE ON)
endif()

# tern_optimize(TARGET): its levels, as options that come after CMake's.
function(tern_optimize target)
  # A host's linker may then leave out what his program does not call (-Wl,--gc-sections).
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  # Where the tests' build spares the compiler (CMakePresets.json, dev), kernels are compiled in full.
  set(kernel_level $<$<CONFIG:RelWithDebInfo>:-O2>)
  if(TERN_LEVELS_BY_SOURCE)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${TERN_OTHER_LEVEL}>)
    list(APPEND kernel_level "$<$<CONFIG:Release>:${TERN_KERNEL_LEVEL}>")
    set_property(SOURCE ${TERN_HOT_SOURCES} APPEND PROPERTY COMPILE_OPTIONS
      $<$<CONFIG:Release>:${TERN_HOT_LEVEL}>)
    set_property(SOURCE ${TERN_WARM_SOURCES} APPEND PROPERTY COMPILE_OPTIONS
      $<$<CONFIG:Release>:${TERN_WARM_LEVEL}>)
  endif()
  set_property(SOURCE ${TERN_KERNEL_SOURCES} APPEND PROPERTY COMPILE_OPTIONS "${kernel_level}")
endfunction()

# Sources of one group are compiled together, since parsing the headers is half of the work; groups enough
# for two cores, and what includes a system's headers apart. Hot sources and kernels stay alone by their
# options. CMAKE_UNITY_BUILD=OFF compiles each source by itself.
set(TERN_GROUP_engine "^src/engine/(forward|session|ternary_layer|text_embedding)")
set(TERN_GROUP_text "^src/(engine/(json_schema|schema_)|text/)")
set(TERN_GROUP_model "^src/(model|format)/|registry")
set(TERN_GROUP_platform "^src/platform/")
set(TERN_GROUP_capi "^capi/")

# tern_group(TARGET): its sources by those groups.
function(tern_group target)
  if(NOT DEFINED CMAKE_UNITY_BUILD)
    set_property(TARGET ${target} PROPERTY UNITY_BUILD ON)
  endif()
  set_property(TARGET ${target} PROPERTY UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(group engine text model platform capi)
    set(members ${sources})
    list(FILTER members INCLUDE REGEX "${TERN_GROUP_${group}}")
    set_property(SOURCE ${members} PROPERTY UNITY_GROUP ${group})
  endforeach()
endfunction()
