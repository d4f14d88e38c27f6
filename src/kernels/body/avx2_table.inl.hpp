// Everything that the tables of 256-bit registers have in common: all of it but the dot products.
// Included inside their regions after those.

constexpr size_t kMostPlanes = 4;  // 4 VS are 8 of 16 registers
constexpr size_t kRowsAtOnce = 2;  // their sums and digits are 8 of 16 registers
constexpr size_t kTokenTile = 6;   // 6 VS are 12 of 16 registers
constexpr size_t kPrefetchBytes = 8192;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx2_lanes.inl.hpp"
#include "kernels/body/vector_access.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/vector_quantize.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/unpack_codes.inl.hpp"
#include "kernels/body/avx2_packed_rows.inl.hpp"
#include "kernels/body/unpack_row.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/avx2_sums.inl.hpp"
#include "kernels/body/avx2_attention_loops.inl.hpp"
#include "kernels/body/attention_rows.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/five_compare.inl.hpp"
#include "kernels/body/trit_digits.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/head_q6_k_words.inl.hpp"
#include "kernels/body/avx2_head_q6_k.inl.hpp"
#include "kernels/body/head_words.inl.hpp"
#include "kernels/body/head_i8_words.inl.hpp"
#include "kernels/body/vector_planes.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/largest.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/tile_sums.inl.hpp"
#include "kernels/body/vector_product.inl.hpp"
#include "kernels/body/row_product.inl.hpp"
#include "kernels/body/column_product.inl.hpp"
#include "kernels/body/live_lists.inl.hpp"
#include "kernels/body/unit_bytes.inl.hpp"
#include "kernels/body/token_dots.inl.hpp"
#include "kernels/body/token_groups.inl.hpp"
#include "kernels/body/token_packing.inl.hpp"
#include "kernels/body/matrix_product.inl.hpp"
#include "kernels/body/probes.inl.hpp"
#include "kernels/body/vector_table.inl.hpp"
// clang-format on

// One token over T5 takes 2.5 to 3 times as long as over T2 here, from memory.
constexpr Packing kPacking = Packing::t2;
