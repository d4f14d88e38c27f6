// Scales that are no binary16: which type an export takes by itself, and what it rounds if asked.
#include "support/gguf_exports.hpp"

using namespace tern_test;
using tern::ExportOptions;
using tern::Status;
using tern::TensorType;

namespace {

constexpr TensorType kHalfTypes[] = {TensorType::tq1_0, TensorType::tq2_0, TensorType::f16};

/// Scales as mean magnitudes are: of any bits.
LogicalModel mean_scaled(LogicalModel m) {
  float factor = 1.0f;
  for (LogicalLayer& layer : m.layers) {
    for (const auto& named : linear_names()) {
      for (float& scale : (layer.*named.second).scales) scale *= factor;
      factor *= 0.97f;  // the first stays what it was
    }
  }
  return m;
}

/// The same with every scale the binary16 that is nearest.
LogicalModel rounded(LogicalModel m) {
  for (LogicalLayer& layer : m.layers) {
    for (const auto& named : linear_names()) {
      for (float& scale : (layer.*named.second).scales) {
        scale = std::bit_cast<float>(tern::f32_bits_from_f16(tern::f16_from_f32(scale)));
      }
    }
  }
  return m;
}

Bytes chosen(const Bytes& source, TensorType type, std::string_view why,
             const ExportOptions& options = {}) {
  const auto model = load_with(source, {});
  const auto planned = tern::GgufExport::create(*model, options);
  REQUIRE(planned.ok());
  CHECK(planned->linear() == type);
  CHECK(planned->not_in_tq2_0() == why);
  return *write_export(*planned);
}

}  // namespace

TEST_CASE("without a type an export is TQ2_0 where that is exact, else I2_S") {
  const auto exact = gguf_of(small_model(), TensorType::i2_s).build();
  CHECK(chosen(exact, TensorType::tq2_0, "") == exported(exact, TensorType::tq2_0));
  const auto source = gguf_of(mean_scaled(small_model()), TensorType::i2_s).build();
  const auto file = chosen(source, TensorType::i2_s, "blk.0.attn_k.weight");
  CHECK(linear_types(file) == std::set{id_of(TensorType::i2_s)});
  CHECK(logits_of(file) == logits_of(source));
  CHECK(logits_of(file) != logits_of(exact));
  // Rounding is as good as exact scales.
  CHECK(chosen(source, TensorType::tq2_0, "", {.round_scales = true}) ==
        exported(source, ExportOptions{.linear = TensorType::tq2_0, .round_scales = true}));
}

TEST_CASE("rows that TQ2_0 has no blocks for are F16 in the chosen file too, where that is exact") {
  LogicalModel shape = small_shape("llama");
  shape.ffn_dim = 192;
  const auto source = gguf_of(random_model(shape, 1, 3), TensorType::f32).build();
  const auto file = chosen(source, TensorType::tq2_0, "");
  CHECK(linear_types(file) == std::set{id_of(TensorType::f16), id_of(TensorType::tq2_0)});
  CHECK(logits_of(file) == logits_of(source));
}

TEST_CASE("rounded scales are the nearest binary16, and are counted") {
  const auto m = mean_scaled(small_model());
  const auto source = gguf_of(m, TensorType::i2_s).build();
  const auto expected = logits_of(gguf_of(rounded(m), TensorType::i2_s).build());
  for (const TensorType type : kHalfTypes) {
    CHECK(try_export(source, type).status() == Status::unsupported);
    const ExportOptions options = {.linear = type, .round_scales = true};
    const auto file = exported(source, options);
    CHECK(linear_types(file) == std::set{id_of(type)});
    CHECK(logits_of(file) == expected);
    const auto model = load_with(source, {});
    const auto planned = tern::GgufExport::create(*model, options);
    REQUIRE(planned.ok());
    size_t n_rounded = 0;
    for (const tern::ExportItem& item : planned->items()) n_rounded += item.n_rounded;
    CHECK(n_rounded == 13);  // all of two layers but the first
  }
  // Nothing to round: the bytes of the export that rounds nothing.
  const ExportOptions i2_s = {.linear = TensorType::i2_s, .round_scales = true};
  CHECK(exported(source, i2_s) == exported(source, TensorType::i2_s));
}

TEST_CASE("scales by row and by group are rounded too") {
  for (const RandomScales scales : {RandomScales::row, RandomScales::group256}) {
    const auto m = mean_scaled(small_model("bitnet", scales));
    const auto source = gguf_of(m, TensorType::f32).build();
    const auto expected = logits_of(gguf_of(rounded(m), TensorType::f32).build());
    for (const TensorType type : kHalfTypes) {
      CHECK(logits_of(exported(source, ExportOptions{.linear = type, .round_scales = true})) ==
            expected);
    }
  }
}

TEST_CASE("a scale beyond the normal binary16 is not rounded") {
  for (const float scale : {65520.0f, 1.0f / 3 * std::ldexp(1.0f, -14)}) {
    LogicalModel m = small_model();
    for (float& s : m.layers[1].k.scales) s = scale;
    const auto source = gguf_of(m, TensorType::i2_s).build();
    for (const TensorType type : kHalfTypes) {
      const auto refused = try_export(source, ExportOptions{.linear = type, .round_scales = true});
      REQUIRE(refused.status() == Status::unsupported);
      CHECK(std::string_view(refused.error().subject) == "blk.1.attn_k.weight");
      CHECK(std::string_view(refused.error().what) ==
            "a scale is too large or too small for f16: i2_s or a tern file can hold it");
    }
    chosen(source, TensorType::i2_s, "blk.1.attn_k.weight", {.round_scales = true});
  }
}
