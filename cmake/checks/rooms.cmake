# The rooms and what each may include beside itself: the table of docs/architecture.md as data.
#
# Adding a room adds a line here. `capi` is a folder of the top level, not below include/ and src/.
set(ROOMS base platform quant kernels format text model engine convert train capi)

set(MAY_INCLUDE_base)
set(MAY_INCLUDE_platform base)
set(MAY_INCLUDE_quant base)
set(MAY_INCLUDE_kernels base platform quant)
set(MAY_INCLUDE_format base quant)
set(MAY_INCLUDE_text base)
set(MAY_INCLUDE_model base platform quant kernels format text)
set(MAY_INCLUDE_engine ${MAY_INCLUDE_model} model)
set(MAY_INCLUDE_convert ${MAY_INCLUDE_engine} engine)
set(MAY_INCLUDE_train ${MAY_INCLUDE_engine} engine)
set(MAY_INCLUDE_capi ${MAY_INCLUDE_convert} convert)

# Headers directly below include/tern/ that any room may include; the others are for users.
set(ROOMLESS_HEADERS tern/version.hpp)
