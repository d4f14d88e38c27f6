// Where everything of a tern file lies, and the metadata that says so.
//
// Room: convert. What a file holds is added in the order of the forward pass; finish() puts it in
// three parts, so that the bytes that every token streams are together and can be in large pages:
//
//     header | norms, scales, embedding | from a multiple of 2 MiB: packed tensors | the head
#pragma once

#include "tern/format/gguf_header.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/tensor_names.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One tensor of a file that is being made.
struct TernItem {
  enum class Place : uint8_t { front, region, end };

  explicit TernItem(const AllocatorHooks& hooks) : name(hooks) {}

  String name;
  PlannedTensor tensor;
  Place place = Place::front;
  std::span<const uint8_t> data;  ///< where the bytes are; empty where they are yet to be made
  // Of a packed tensor; its scales are the next item.
  bool is_packed = false;
  std::string_view packing;
  std::string_view scale_kind;
  uint32_t rows = 0;
  uint32_t cols = 0;
};

/// Errors of its containers are std::bad_alloc: callers stand behind catch_out_of_memory.
class TernLayout {
 public:
  explicit TernLayout(const AllocatorHooks& hooks)
      : hooks_(hooks), items_(hooks), placed_(hooks), header_(hooks) {}

  GgufHeader& header() { return header_; }
  const GgufHeader& header() const { return header_; }

  /// A float vector. The numbers that these functions give are indices of items().
  size_t add_vector(std::string_view name, uint64_t size, const float* data = nullptr) {
    TernItem& item = append(name, TensorType::f32, size * sizeof(float), data);
    item.tensor.dims[0] = size;
    return items_.size() - 1;
  }
  /// A matrix, and behind it its scales.
  size_t add_matrix(std::string_view name, const TernaryView& w, size_t n_scales) {
    const uint64_t bytes = packed_bytes(w.packing, w.rows, w.cols).value_or(~uint64_t{0});
    return add_packed(name, packing_name(w.packing), scale_name(w.scale_kind, w.group_cols), w.rows,
                      w.cols, bytes, w.data, n_scales, w.scales);
  }
  /// A table of rows: a tensor of its type or, as int8, packed, and behind it its scales.
  size_t add_table(std::string_view name, const HeadView& table, uint32_t rows,
                   TernItem::Place place) {
    const auto cols = static_cast<uint32_t>(table.k);
    const uint64_t bytes = uint64_t{rows} * table.row_bytes;
    if (table.type == TensorType::i8) {
      const size_t at = add_packed(name, kTernBytesName, scale_name(ScaleKind::row, 0), rows, cols,
                                   bytes, table.rows, rows, table.scales);
      items_[at].place = TernItem::Place::end;
      return at;
    }
    // Of I2_S the scale lies behind the rows.
    const uint64_t all = tensor_bytes(type_info(table.type), cols, rows).value_or(bytes);
    TernItem& item = append(name, table.type, all, table.rows);
    item.tensor.n_dims = 2;
    item.tensor.dims[0] = cols;
    item.tensor.dims[1] = rows;
    item.place = place;
    return items_.size() - 1;
  }

  /// Adds what makes the header a tern file's, places all items, composes the header.
  /// Errors: out_of_memory (the size of the file does not fit).
  Result<void> finish(uint64_t model_hash) {
    add_directory(model_hash);
    Vector<uint32_t> order(hooks_);
    using Place = TernItem::Place;
    for (const Place place : {Place::front, Place::region, Place::end}) {
      for (size_t i = 0; i < items_.size(); ++i) {
        if (items_[i].place == place) order.push_back(static_cast<uint32_t>(i));
      }
    }
    Vector<PlannedTensor> tensors(hooks_);
    bool in_front = true;
    for (const uint32_t i : order) {
      tensors.push_back(items_[i].tensor);
      tensors.back().name = items_[i].name;
      // What is streamed begins with the first item behind the front part.
      if (in_front && items_[i].place != TernItem::Place::front) {
        tensors.back().alignment = kTernRegionAlignment;
        in_front = false;
      }
    }
    TERN_TRY(header_.finish(tensors));
    for (size_t i = 0; i < order.size(); ++i) items_[order[i]].tensor.offset = tensors[i].offset;
    placed_ = std::move(order);
    return {};
  }

  std::span<const TernItem> items() const { return items_; }
  /// Indices of items by ascending offset.
  std::span<const uint32_t> placed() const { return placed_; }

 private:
  TernItem& append(std::string_view name, TensorType type, uint64_t bytes, const void* data) {
    TernItem item(hooks_);
    item.name.assign(name);
    item.tensor.type = type;
    item.tensor.bytes = bytes;
    if (data != nullptr) {
      item.data = {static_cast<const uint8_t*>(data), static_cast<size_t>(bytes)};
    }
    items_.push_back(std::move(item));
    return items_.back();
  }

  size_t add_packed(std::string_view name, std::string_view packing, std::string_view scale_kind,
                    uint32_t rows, uint32_t cols, uint64_t bytes, const uint8_t* data,
                    size_t n_scales, const float* scales) {
    TernItem& item = append(name, TensorType::i8, bytes, data);
    item.tensor.dims[0] = bytes;
    item.place = TernItem::Place::region;
    item.is_packed = true;
    item.packing = packing;
    item.scale_kind = scale_kind;
    item.rows = rows;
    item.cols = cols;
    return add_vector(ScaleTensorName(name).view(), n_scales, scales) - 1;
  }

  void add_directory(uint64_t model_hash) {
    header_.add(kTernVersionKey, kTernVersion);
    header_.add(kTernHashKey, model_hash);
    uint64_t n = 0;
    for (const TernItem& item : items_) n += item.is_packed ? 1 : 0;
    const auto add_array = [&](std::string_view key, MetadataType type, auto member) {
      header_.begin_array(key, type, n);
      for (const TernItem& item : items_) {
        if (item.is_packed) header_.put_element(item.*member);
      }
    };
    header_.begin_array(kTernNameKey, MetadataType::string, n);
    for (const TernItem& item : items_) {
      if (item.is_packed) header_.put_element(std::string_view(item.name));
    }
    add_array(kTernPackingKey, MetadataType::string, &TernItem::packing);
    add_array(kTernRowsKey, MetadataType::u32, &TernItem::rows);
    add_array(kTernColsKey, MetadataType::u32, &TernItem::cols);
    add_array(kTernScaleKey, MetadataType::string, &TernItem::scale_kind);
  }

  AllocatorHooks hooks_;
  Vector<TernItem> items_;
  Vector<uint32_t> placed_;
  GgufHeader header_;
};

TERN_NAMESPACE_END
