// The problem that every table must solve with the bits of docs/numerics.md before a model uses it.
//
// Room: kernels. A table is run on fixed inputs and a checksum of all it wrote is compared with a
// constant, so that `scalar` itself is tested: a compiler or a flag that changes its bits is found
// too. Every slot runs, with odd sizes, whole and partial tiles, more columns than a block of the
// matrix kernels, more tokens than a tile, and more positions than a chunk. The cost is some tenths
// of a millisecond for `scalar`. Only registry.cpp and its test include this.
#pragma once

#include <cstring>
#include <limits>

#include "kernels/self_test_inputs.hpp"
#include "kernels/self_test_outputs.hpp"

TERN_NAMESPACE_BEGIN

/// FNV-1a, 64 bits, of the outputs. A change of docs/numerics.md or of the problem changes it:
/// tests/kernels/registry_test.cpp prints the new value.
inline constexpr uint64_t kSelfTestChecksum = 0xF01AC84BBB17B6D1u;

/// The test and the memory it needs: zeroed by its owner, used by one thread.
struct SelfTest {
  using In = SelfTestInputs;
  using Out = SelfTestOutputs;

  alignas(64) int8_t packed[80 * 1024];
  alignas(64) uint8_t scratch[384 * 1024];
  alignas(64) int32_t sums[2][In::kTokens * 320];
  alignas(64) uint8_t planes[kPlaneRows * planes_row_bytes(In::kBlockCols)];
  static constexpr size_t kStepRow = attention_row(Out::kPositions);
  alignas(64) float step_scores[2][kStepRow];
  float step_parts[2][2 * Out::kPackedDim];
  SelfTestInputs in;
  SelfTestOutputs out;

  bool passes(const KernelTable& k) { return run(k) && out.checksum() == kSelfTestChecksum; }

  /// False when the table asks for more memory than any should.
  bool run(const KernelTable& k) {
    in.fill();
    std::memset(static_cast<void*>(&out), 0, sizeof(out));
    if (k.matrix_scratch_bytes > sizeof(scratch)) return false;
    if (k.attention_scratch_bytes(2, 2, Out::kPositions, Out::kPackedDim) > sizeof(scratch)) {
      return false;
    }
    if (k.packed_tokens_bytes(In::kTokens, In::kCols) > sizeof(packed)) return false;
    if (k.packed_tokens_bytes(In::kWideTokens, In::kWideCols) > sizeof(packed)) return false;
    run_quantizers(k);
    run_products(k);
    run_wide_products(k);
    run_fives_and_lines(k);
    run_elements(k);
    run_attention(k);
    run_stored_rows(k);
    run_sampling(k);
    run_reports(k);
    return true;
  }

 private:
  void report(bool value) { out.reports = (out.reports << 1) | (value ? 1u : 0u); }

  void run_quantizers(const KernelTable& k) {
    for (size_t t = 0; t < In::kTokens; ++t) {
      report(k.rms_norm(in.token(t), in.gain, In::kCols, 0x1p-17f, out.normed[t]));
      out.tokens[t] = k.quantize_i8(out.normed[t], In::kCols, out.q[t], Out::kStride);
      out.tokens16[t] =
          k.quantize_i16(out.normed[t], In::kCols, out.high[t], out.low[t], Out::kStride);
    }
    out.fused_token =
        k.norm_quantize_i8(in.x, in.gain, In::kCols, 0x1p-17f, out.fused, Out::kStride);
    out.fused_token16 = k.norm_quantize_i16(in.x, in.gain, In::kCols, 0x1p-17f, out.fused_high,
                                            out.fused_low, Out::kStride);
    out.token4 = k.quantize_i4(out.normed[0], In::kCols, out.codes4[0], Out::kStride);
    out.fused_token4 =
        k.norm_quantize_i4(in.x, in.gain, In::kCols, 0x1p-17f, out.codes4[1], Out::kStride);
    std::memcpy(out.largest, out.normed[0], sizeof(out.largest));
    k.keep_largest(out.largest, In::kCols, In::kCols / 2);
    for (size_t t = 0; t < In::kWideTokens; ++t) {
      out.wide_tokens[t] = k.quantize_i16(in.token(t), In::kWideCols, out.wide_high[t],
                                          out.wide_low[t], Out::kWideStride);
    }
    out.block_token =
        k.quantize_i16(in.x, In::kBlockCols, out.block_high, out.block_low, Out::kBlockStride);
  }

  void multiply_matrix(const KernelTable& k, const TernaryView& w, const ActivationView& a,
                       float* y) {
    std::memset(packed, 0, sizeof(packed));
    k.pack_tokens(a, w.cols, 0, a.n, packed);
    k.multiply_matrix(w, a, packed, 0, w.n_units(), y, w.rows, scratch);
  }

  void run_products(const KernelTable& k) {
    const TernaryView w = in.matrix(ScaleKind::tensor);
    const TernaryView by_row = in.matrix(ScaleKind::row);
    const TernaryView by_group = in.matrix(ScaleKind::group);
    ActivationView a{out.q[0], nullptr, out.tokens, Out::kStride, In::kTokens};
    k.multiply_vector(w, a, 0, 2, out.y[0][0], In::kRows);
    multiply_matrix(k, by_row, a, out.y_matrix[0][0]);
    a.n = In::kTokens - 1;  // passes of fewer tokens
    k.multiply_vector(w, a, 0, 2, out.y[1][0], In::kRows);
    k.multiply_vector(by_group, a, 0, 2, out.y_groups[0], In::kRows);
    const ActivationView a16{out.high[0], out.low[0], out.tokens16, Out::kStride, In::kTokens - 1};
    k.multiply_vector(by_row, a16, 0, 2, out.y16[0], In::kRows);
    multiply_matrix(k, w, a16, out.y_matrix[1][0]);
  }

  void run_wide_products(const KernelTable& k) {
    // The high plane alone is as good as int8 codes.
    ActivationView a{out.wide_high[0], nullptr, out.wide_tokens, Out::kWideStride, In::kWideTokens};
    multiply_matrix(k, in.wide_matrix(ScaleKind::row), a, out.y_wide[0][0]);
    a.low = out.wide_low[0];
    multiply_matrix(k, in.wide_matrix(ScaleKind::row), a, out.y_wide[1][0]);
    multiply_matrix(k, in.wide_matrix(ScaleKind::group), a, out.y_wide_group_matrix[0]);
    a.n = 2;
    k.multiply_vector(in.wide_matrix(ScaleKind::group), a, 0, 1, out.y_wide_groups[0], kTileRows);
  }

  void run_fives_and_lines(const KernelTable& k) {
    const ActivationView a{out.q[0], nullptr, out.tokens, Out::kStride, In::kTokens};
    const ActivationView a16{out.high[0], out.low[0], out.tokens16, Out::kStride, 3};
    const TernaryView fives = in.matrix(ScaleKind::row, Packing::t5);
    k.multiply_vector(fives, a, 0, 2, out.y_fives[0][0], In::kRows);
    multiply_matrix(k, fives, a16, out.y_fives[1][0]);
    const uint32_t rows[] = {0, 3, 15, 16, 18};
    const Packing by_row[2] = {Packing::t2r, Packing::t5r};
    const Packing by_column[2] = {Packing::t2c, Packing::t5c};
    for (size_t i = 0; i < 2; ++i) {
      const TernaryView w = in.matrix(ScaleKind::row, by_row[i]);
      k.multiply_rows(w, i == 0 ? a : a16, rows, 0, std::size(rows), out.y_rows[i][0][0],
                      In::kRows);
      multiply_matrix(k, w, a, out.y_rows[i][1][0]);
    }
    out.counts[3] = k.find_live_rows(in.x, In::kCols, 7, out.listed[0]);
    out.counts[4] = k.find_nonzero(out.q[0], In::kCols, out.listed[1], out.listed_values);
    const size_t n = out.counts[4] < In::kCols ? static_cast<size_t>(out.counts[4]) : In::kCols;
    // What lies beyond a list is the table's to use.
    for (uint64_t i = out.counts[3]; i < 128; ++i) out.listed[0][i] = 0;
    for (size_t i = n; i < 128; ++i) out.listed[1][i] = 0, out.listed_values[i] = 0;
    for (size_t i = 0; i < 2; ++i) {
      const TernaryView w = in.matrix(ScaleKind::tensor, by_column[i]);
      const size_t stride = sizeof(sums[0]) / sizeof(int32_t);
      if (i == 0) {  // one token, its columns in two parts
        const ColumnInputs listed{out.listed[1], out.listed_values, 128, 1};
        k.multiply_columns(w, listed, 0, n / 3, sums[0]);
        k.multiply_columns(w, listed, n / 3, n, sums[1]);
        k.finish_columns(w, {out.q[0], nullptr, out.tokens, Out::kStride, 1}, sums[0], 2, stride, 0,
                         1, out.y_columns[i][0][0], In::kRows);
      } else {
        const ColumnInputs all{nullptr, out.q[0], Out::kStride, In::kTokens};
        k.multiply_columns(w, all, 0, In::kCols, sums[0]);
        k.finish_columns(w, a, sums[0], 1, stride, 0, 1, out.y_columns[i][0][0], In::kRows);
      }
      multiply_matrix(k, w, i == 0 ? a16 : a, out.y_columns[i][1][0]);
    }
  }

  void run_elements(const KernelTable& k) {
    std::memcpy(out.sum, in.x, sizeof(out.sum));
    k.add(out.normed[0], In::kCols, out.sum);
    k.relu2_mul(in.x, out.normed[1], In::kCols, out.relu2);
    k.silu_mul(in.x, out.normed[1], In::kCols, out.silu);
    k.gelu_mul(in.x, out.normed[1], In::kCols, out.gelu);
    std::memcpy(out.scaled, in.x, sizeof(out.scaled));
    out.embedding_scale = k.embedding_scale(In::kRows);
    k.scale(out.embedding_scale, In::kCols, out.scaled);
    report(k.l2_normalize(in.x, In::kCols, out.unit_vector));
    const HeadView master{TensorType::bf16, reinterpret_cast<const uint8_t*>(in.bf16),
                          2 * In::kCols, In::kCols};
    for (size_t r = 0; r < In::kHeadRows; ++r) out.row_sums[r] = k.sum_magnitudes(master, r);
    out.absmean = k.absmean_scale(out.row_sums, In::kHeadRows, In::kHeadRows * In::kCols);
    out.inverse_scale = k.reciprocal(out.absmean.scale);
    k.rope_frequencies(10000.0, 1.0, nullptr, In::kCols, out.inv_freq);
    k.rope_angles(77, out.inv_freq, Out::kPairs, out.cos, out.sin);
    std::memcpy(out.halves, in.x, sizeof(out.halves));
    std::memcpy(out.pairs, in.x, sizeof(out.pairs));
    k.rope_halves(out.halves, out.cos, out.sin, Out::kPairs);
    k.rope_pairs(out.pairs, out.cos, out.sin, Out::kPairs);
  }

  void run_attention(const KernelTable& k) {
    report(k.to_f16(in.x, Out::kCacheSize, out.cache));
    out.attention_scale = k.attention_scale(In::kRows);
    const CacheView cache{CacheType::f16, out.cache, Out::kCacheStride};
    const size_t positions[2] = {Out::kPositions, 8};
    const size_t dims[2] = {Out::kHeadDim, In::kRows};
    for (size_t i = 0; i < 2; ++i) {
      k.qk_f16(in.x, cache, positions[i], dims[i], 0.25f, out.scores[i]);
      out.exp_sums[i] = k.softmax_exp(out.scores[i], positions[i]);
      k.pv_f16(out.scores[i], out.exp_sums[i], cache, positions[i], dims[i], out.mixed[i]);
    }
    report(k.to_i8(in.x, Out::kHeadDim, out.cached, &out.unit));
    const CacheType types[2] = {CacheType::i4, CacheType::i3};
    for (size_t i = 0; i < 2; ++i) {
      report(k.to_packed(types[i], in.x, Out::kHeadDim, out.packed_rows[i], &out.packed_units[i]));
      k.unpack_codes(types[i], in.tiles, 1, Out::kHeadDim, out.unpacked[i]);
    }
    const CacheView bytes{CacheType::i8, in.tiles, Out::kCacheStride, in.units};
    const CacheView floats{CacheType::f32, in.x, Out::kCacheStride};
    const CacheView caches[3] = {cache, bytes, floats};
    for (size_t i = 0; i < 3; ++i) {
      AttentionView view;
      view.q = in.x;
      view.q_stride = 7;
      view.n_tokens = view.n_heads = 2;
      view.position = Out::kPositions - 2;
      view.dim = Out::kHeadDim;
      view.keys = view.values = caches[i];
      view.scale = i == 1 ? 0x1p-6f : 0.25f;
      const auto attend = i == 2 ? k.attend_f32 : k.attend;
      attend(view, out.attended[i][0], 2 * Out::kHeadDim, scratch);
    }
    const size_t dims_of[4] = {Out::kHeadDim, Out::kHeadDim, Out::kPackedDim, Out::kPackedDim};
    const CacheView steps[4] = {cache,
                                bytes,
                                {CacheType::i4, in.tiles, 0, in.units},
                                {CacheType::i3, in.tiles, 0, in.units, in.tiles + 5}};
    for (size_t i = 0; i < 4; ++i) run_attention_steps(k, steps[i], dims_of[i], out.merged[i]);
  }

  // Two chunks of positions, or as many packed rows as there are.
  void run_attention_steps(const KernelTable& k, const CacheView& cache, size_t dim, float* y) {
    const size_t row_bytes = cache_row_bytes(cache.type, dim);
    const size_t n = is_packed(cache.type) ? sizeof(in.tiles) / row_bytes : Out::kPositions;
    AttentionView view;
    view.q = in.x;
    view.n_tokens = 1;
    view.n_heads = 2;
    view.position = n - 1;
    view.dim = dim;
    view.keys = view.values = cache;
    view.scale = 0x1p-6f;
    for (size_t j = 0; j < n; j += kAttentionChunk) {
      const size_t end = n - j < kAttentionChunk ? n : j + kAttentionChunk;
      k.attend_scores(view, j, end, step_scores[0], kStepRow, scratch);
    }
    float step_sums[2];
    for (size_t h = 0; h < 2; ++h) step_sums[h] = k.softmax_exp(step_scores[h], n);
    k.attend_values(view, 0, n, step_scores[0], kStepRow, step_parts[0], 2 * dim, scratch);
    const size_t chunks = (n + kAttentionChunk - 1) / kAttentionChunk;
    for (size_t h = 0; h < 2; ++h) {
      k.attend_merge(step_parts[0] + h * dim, 2 * dim, chunks, step_sums[h], dim, y + h * dim);
    }
  }

  void run_stored_rows(const KernelTable& k) {
    const TensorType types[3] = {TensorType::f32, TensorType::f16, TensorType::bf16};
    const void* rows[3] = {in.x, out.cache, in.bf16};
    for (size_t i = 0; i < 3; ++i) {
      const auto* bytes = static_cast<const uint8_t*>(rows[i]);
      const HeadView head{types[i], bytes, In::kCols * (i == 0 ? 4u : 2u), In::kCols};
      k.decode_row({types[i], bytes, In::kCols, In::kRows}, 0, out.decoded[i]);
      ActivationView one;
      one.n = 1;
      k.head_rows(head, {in.gain, 0, one}, 0, In::kHeadRows, out.logits[i], 0);
    }
    const ActivationView codes{out.block_high, out.block_low, &out.block_token, Out::kBlockStride,
                               1};
    for (size_t i = 0; i < std::size(In::kBlockTypes); ++i) {
      const In::BlockType& type = In::kBlockTypes[i];
      const HeadView head{type.type,      in.blocks[i][0], In::kMostRowBytes,
                          In::kBlockCols, nullptr,         0.375f};
      k.decode_row(head, 0, out.decoded_blocks[i]);
      k.head_rows(head, {in.x, 0, codes}, 0, 2, out.block_logits[i], 0);
    }
    const TensorType encoded[2] = {TensorType::q6_k, TensorType::i8};
    for (size_t i = 0; i < 2; ++i) {
      k.encode_row(encoded[i], in.x, In::kBlockCols, out.encoded[i], &out.encoded_unit);
      const HeadView head{encoded[i], out.encoded[i], 0, In::kBlockCols, &out.encoded_unit};
      k.head_rows(head, {in.x, 0, codes}, 0, 1, out.encoded_logits + i, 0);
    }
    run_planes(k, codes);
  }

  /// Rows in planes: the int8 row that was encoded, turned; every second one is left after a plane.
  void run_planes(const KernelTable& k, const ActivationView& codes) {
    constexpr size_t kRows = Out::kPlaneTestRows;
    float units[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      int8_t row[In::kBlockCols];
      for (size_t i = 0; i < In::kBlockCols; ++i) {
        row[i] = static_cast<int8_t>(out.encoded[1][(i + 37 * r) % In::kBlockCols]);
      }
      store_plane_row(row, In::kBlockCols, r, planes);
      units[r] = out.encoded_unit;
      for (size_t known = 1; known < kPlanes; ++known) {
        out.plane_rests[r][known - 1] =
            k.plane_norm(plane_rest_squares(row, In::kBlockCols, known));
      }
    }
    const HeadView head{TensorType::i8_planes, planes, planes_row_bytes(In::kBlockCols),
                        In::kBlockCols,        units,  0,
                        out.plane_rests[0]};
    for (size_t i = 0; i < 2; ++i) {
      out.plane_reach[i] = k.plane_reach(codes, In::kBlockCols, i != 0);
    }
    uint32_t rows[kRows];
    for (size_t plane = 0; plane < kPlanes; ++plane) {
      const size_t step = plane + 1;
      size_t n = 0;
      for (size_t r = 0; r < kRows; r += step) rows[n++] = static_cast<uint32_t>(r);
      const uint32_t* list = plane == 0 ? nullptr : rows;
      k.plane_dots(head, plane, codes, list, 0, n, out.plane_dots);
      k.plane_bounds(head, plane + 1, codes, out.plane_reach[plane % 2], list, 0, n, out.plane_dots,
                     out.plane_lows[plane], out.plane_highs[plane]);
    }
    k.head_rows(head, {nullptr, 0, codes}, 0, kRows, out.plane_logits, 0);
    k.decode_row(head, kRows - 1, out.decoded_plane);
  }

  void run_sampling(const KernelTable& k) {
    out.penalized[0] = k.penalize(1.5f, 1.25f);
    out.penalized[1] = k.penalize(-1.5f, 1.25f);
    const float descending[Out::kCandidates] = {3, 2.5f, 2, 1.5f, 1, 0.5f, 0, -4};
    k.sampling_weights(descending, Out::kCandidates, 0.75f, out.weights);
    out.counts[0] = k.top_p_count(out.weights, Out::kCandidates, 0.75f);
    out.counts[1] = k.min_p_count(out.weights, Out::kCandidates, 0.25f);
    out.counts[2] = k.draw(out.weights, Out::kCandidates, uint64_t{3} << 62);
    float copy[Out::kCandidates];
    out.log_prob = k.log_prob(descending, Out::kCandidates, 2, copy);
  }

  /// Values that are not finite, at the end of a whole vector and in a partial one.
  void run_reports(const KernelTable& k) {
    for (const size_t n : {size_t{16}, size_t{19}}) {
      float bad[20];
      float y[20];
      int8_t codes[2][64];
      uint16_t halves[20];
      const auto reset = [&] {
        std::memcpy(bad, in.gain, sizeof(bad));
        bad[n - 1] = -std::numeric_limits<float>::infinity();
      };
      reset();
      report(k.all_finite(bad, n));
      report(k.all_finite(bad, n - 1));
      report(k.rms_norm(bad, in.gain, n, 0x1p-17f, y));
      report(k.l2_normalize(bad, n, y));
      report(k.to_f16(bad, n, halves));
      report(k.quantize_i8(bad, n, codes[0], 64).finite != 0);
      report(k.quantize_i16(bad, n, codes[0], codes[1], 64).finite != 0);
      k.relu2_mul(bad, in.gain, n, y);
      report(y[n - 1] != y[n - 1]);
      k.gelu_mul(bad, in.gain, n, y);
      report(y[n - 1] != y[n - 1]);
      const float sum = k.softmax_exp(bad, n);
      report(sum != sum);
    }
  }
};

TERN_NAMESPACE_END
