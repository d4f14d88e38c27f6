// The ternary products that the two AVX-512 tables have in common: those over tiles and rows, but
// for how five trits of a byte are decoded. Included inside an AVX-512 region, after the body that
// defines FiveTrits, and
//
//   kFivesAlone             whether the table multiplies T5 alone, and leaves T2 to the table whose
//                           code for that would be the same, kAvx512VnniKernels

constexpr size_t kTokenTile = 12;  // tokens a pass: 2 tiles x 12 = 24 accumulators of 32
constexpr size_t kPackedColumns = 4;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/vector_access.inl.hpp"
#include "kernels/body/avx512_vector.inl.hpp"
#include "kernels/body/avx512_rows.inl.hpp"
#include "kernels/body/avx512_unpack.inl.hpp"
#include "kernels/body/avx512_token_groups.inl.hpp"
#include "kernels/body/token_packing.inl.hpp"
#include "kernels/body/avx512_matrix.inl.hpp"
// clang-format on
