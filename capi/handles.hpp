// The handles of the C ABI: a shared pointer each, in memory of the host's allocator.
//
// Room: capi. A session holds its model through the C++ objects, so handles are independent of each
// other and may be freed in any order.
#pragma once

#include <memory>
#include <new>
#include <utility>

#include "options.hpp"
#include "tern.h"
#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/engine/session.hpp"
#include "tern/engine/ternary_layer.hpp"
#include "tern/model/model.hpp"
#include "tern/text/grammar.hpp"
#include "tern/version.hpp"

struct tern_model {
  tern::AllocatorHooks hooks;
  std::shared_ptr<const tern::Model> object;
};

struct tern_session {
  tern::AllocatorHooks hooks;
  std::shared_ptr<tern::Session> object;
};

struct tern_layer {
  tern::AllocatorHooks hooks;
  std::shared_ptr<tern::TernaryLayer> object;
};

struct tern_grammar {
  tern::AllocatorHooks hooks;
  std::shared_ptr<tern::Grammar> object;
  std::shared_ptr<const tern::Model> model = nullptr;  // whose vocabulary the grammar views
};

TERN_NAMESPACE_BEGIN

namespace capi {

/// Errors: out_of_memory; the object is then let go.
template <typename Handle, typename Object>
Result<Handle*> make_handle(const AllocatorHooks& hooks, std::shared_ptr<Object> object) {
  void* block = hooks.allocate(hooks.user, sizeof(Handle), alignof(Handle));
  if (block == nullptr) return Error(Status::out_of_memory, "out of memory");
  return new (block) Handle{hooks, std::move(object)};
}

template <typename Handle>
void free_handle(Handle* handle) {
  if (handle == nullptr) return;
  const AllocatorHooks hooks = handle->hooks;
  handle->~Handle();
  hooks.release(hooks.user, handle, sizeof(Handle), alignof(Handle));
}

inline Result<const Model*> model_of(const tern_model* handle) {
  if (handle == nullptr) return null_argument("model");
  return handle->object.get();
}

inline Result<Session*> session_of(const tern_session* handle) {
  if (handle == nullptr) return null_argument("session");
  return handle->object.get();
}

inline Result<Grammar*> grammar_of(const tern_grammar* handle) {
  if (handle == nullptr) return null_argument("grammar");
  return handle->object.get();
}

inline Result<TernaryLayer*> layer_of(const tern_layer* handle) {
  if (handle == nullptr) return null_argument("layer");
  return handle->object.get();
}

}  // namespace capi

TERN_NAMESPACE_END
