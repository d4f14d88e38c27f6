// The rest of every table whose registers have 16 bytes: the bodies behind its sums over tiles, and
// the table. Included inside its region after quad_floats.inl.hpp, accumulate and column_sum
// (tile_sums.inl.hpp or by hand), dot_tokens (token_dots.inl.hpp or by hand) and kRowsAtOnce.

// Each body builds on those before it.
// clang-format off
#include "kernels/body/vector_product.inl.hpp"
#include "kernels/body/row_product.inl.hpp"
#include "kernels/body/column_product.inl.hpp"
#include "kernels/body/live_lists.inl.hpp"
#include "kernels/body/unit_bytes.inl.hpp"
#include "kernels/body/token_groups.inl.hpp"
#include "kernels/body/token_packing.inl.hpp"
#include "kernels/body/matrix_product.inl.hpp"
#include "kernels/body/probes.inl.hpp"
#include "kernels/body/vector_table.inl.hpp"
// clang-format on

// T2: with sdot a block of 16 columns takes 43 instructions, one of T5's 20 columns 82; with node
// 20 on x86-64 T5 takes twice the time of T2 from cache. On ARM nothing but instructions was
// counted.
constexpr Packing kPacking = Packing::t2;
