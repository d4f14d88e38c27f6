// The float slots and the head of every table whose registers have 16 bytes, and the digits of
// trits. Included inside its region after quad_vectors.inl.hpp and what quad_lanes.inl.hpp wants.

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/quad_lanes.inl.hpp"
#include "kernels/body/tree_by_lanes.inl.hpp"
#include "kernels/body/vector_access.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/vector_quantize.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/unpack_codes.inl.hpp"
#include "kernels/body/packed_rows.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention_row_loops.inl.hpp"
#include "kernels/body/attention_rows.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/trit_digits.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/wide_sums.inl.hpp"
#include "kernels/body/head_q6_k_words.inl.hpp"
#include "kernels/body/head_words.inl.hpp"
#include "kernels/body/head_i8_words.inl.hpp"
#include "kernels/body/vector_planes.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/largest.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
// clang-format on
