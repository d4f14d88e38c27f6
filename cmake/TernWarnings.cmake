# TERN_WARNINGS: what our own code compiles with. Errors only in presets, never for embedders.

option(TERN_WERROR "Treat warnings as errors" OFF)
set(TERN_WARNINGS -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wvla)
if(TERN_WERROR)
  list(APPEND TERN_WARNINGS -Werror)
endif()
