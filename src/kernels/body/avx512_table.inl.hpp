// Everything that the two AVX-512 tables have in common: all of it but how five trits of a byte are
// decoded. Included inside an AVX-512 region, after the body that defines FiveTrits.

constexpr size_t kTokenTile = 12;  // tokens a pass: 2 tiles x 12 = 24 accumulators of 32
constexpr size_t kPackedColumns = 4;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx512_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/vector_quantize.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/head_q6_k_words.inl.hpp"
#include "kernels/body/head_words.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/avx512_vector.inl.hpp"
#include "kernels/body/avx512_rows.inl.hpp"
#include "kernels/body/avx512_columns.inl.hpp"
#include "kernels/body/avx512_skipping.inl.hpp"
#include "kernels/body/avx512_unpack.inl.hpp"
#include "kernels/body/token_packing.inl.hpp"
#include "kernels/body/avx512_matrix.inl.hpp"
#include "kernels/body/unpack_codes.inl.hpp"
#include "kernels/body/vector_table.inl.hpp"
// clang-format on

constexpr CpuFeatureMask kFeatures = kCpuAvx2 | kCpuF16c | kCpuAvx512 | kCpuAvx512Vnni;
