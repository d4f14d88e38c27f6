// The options of a session, checked and converted.
//
// Room: capi.
#pragma once

#include "options.hpp"
#include "tern.h"
#include "tern/engine/session.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace capi {

static_assert(TERN_KV_F16 == static_cast<uint32_t>(CacheType::f16));
static_assert(TERN_KV_I8 == static_cast<uint32_t>(CacheType::i8));
static_assert(TERN_KV_I4 == static_cast<uint32_t>(CacheType::i4));
static_assert(TERN_KV_I3 == static_cast<uint32_t>(CacheType::i3));
static_assert(TERN_KV_F32 == static_cast<uint32_t>(CacheType::f32));

/// The session's options, with the allocator to use.
inline Result<SessionOptions> read_session_options(const tern_session_options* given,
                                                   const Model& model) {
  TERN_TRY_ASSIGN(const tern_session_options options,
                  read_options(given, "tern_session_options", kSessionOptionsFirstSize));
  if (options.scheduler != nullptr && options.n_threads != 0) {
    return Error(Status::invalid_argument, "either a scheduler or own threads", "n_threads");
  }
  TERN_TRY(check_flags(options.flags, TERN_SESSION_NO_SKIPPING));
  if (options.kv > TERN_KV_F32) {
    return Error(Status::invalid_argument, "session option is out of range", "kv");
  }
  SessionOptions session;
  session.kv = static_cast<CacheType>(options.kv);
  session.skip_zeros = (options.flags & TERN_SESSION_NO_SKIPPING) == 0;
  session.context = options.context;
  session.batch = options.batch;
  if (options.n_threads != 0) session.n_threads = options.n_threads;
  TERN_TRY_ASSIGN(session.runner, read_scheduler(options.scheduler));
  TERN_TRY_ASSIGN(session.allocator, read_allocator(options.allocator, model.allocator()));
  return session;
}

}  // namespace capi

TERN_NAMESPACE_END
