// The C ABI, fifth part: sessions in slices, together, forked, saved; what they need and did.
//
// Room: capi.
#include <algorithm>
#include <array>
#include <cstring>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "session_options.hpp"
#include "tern.h"
#include "tern/engine/session.hpp"

using tern::Error;
using tern::Result;
using tern::Session;
using tern::Status;
namespace capi = tern::capi;

tern_status tern_session_memory(const tern_model* model, const tern_session_options* options,
                                uint64_t* bytes) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(bytes, "bytes"));
    TERN_TRY_ASSIGN(const tern::Model* self, capi::model_of(model));
    TERN_TRY_ASSIGN(const auto session_options, capi::read_session_options(options, *self));
    TERN_TRY_ASSIGN(*bytes, Session::memory(model->object, session_options));
    *bytes += sizeof(tern_session);
    return {};
  });
}

tern_status tern_session_fork(tern_session* session, tern_session** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(auto fork, self->fork());
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_session>(session->hooks, std::move(fork)));
    return {};
  });
}

tern_status tern_session_save(tern_session* session, void* buffer, size_t capacity, size_t* size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(size, "size"));
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    if (buffer == nullptr && capacity != 0) return capi::null_argument("buffer");
    uint64_t needed = 0;
    const auto saved = self->save({static_cast<uint8_t*>(buffer), capacity}, &needed);
    if (needed > SIZE_MAX) return Error(Status::out_of_memory, "out of memory");
    *size = static_cast<size_t>(needed);
    return saved;
  });
}

tern_status tern_session_restore(tern_session* session, const void* bytes, size_t size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto saved,
                    capi::read_array(static_cast<const uint8_t*>(bytes), size, "bytes"));
    return self->restore(saved);
  });
}

tern_status tern_session_begin(tern_session* session, const int32_t* tokens, size_t n_tokens) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    return self->begin(ids);
  });
}

tern_status tern_session_step(tern_session* session, uint64_t budget_us, int32_t* done) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(done, "done"));
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    // Longer than anything takes, and in range as nanoseconds.
    constexpr uint64_t kLongest = uint64_t{1} << 53;
    TERN_TRY_ASSIGN(const bool is_done, self->step(1000 * std::min(budget_us, kLongest)));
    *done = is_done ? 1 : 0;
    return {};
  });
}

tern_status tern_session_step_many(tern_session* const* sessions, const int32_t* tokens,
                                   size_t n_sessions) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(const auto handles, capi::read_array(sessions, n_sessions, "sessions"));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_sessions, "tokens"));
    std::array<Session*, tern::kMaxSessions> selves;
    if (n_sessions > selves.size()) {
      return Error(Status::invalid_argument, "more sessions than one pass takes");
    }
    for (size_t i = 0; i < n_sessions; ++i) {
      TERN_TRY_ASSIGN(selves[i], capi::session_of(handles[i]));
    }
    return Session::evaluate_each({selves.data(), n_sessions}, ids);
  });
}

tern_status tern_session_get_statistics(const tern_session* session,
                                        tern_session_statistics* statistics) {
  return capi::guard([&]() -> Result<void> {
    if (statistics == nullptr) return capi::null_argument("statistics");
    const uint32_t size = statistics->struct_size;
    if (size < capi::kStatisticsFirstSize || size > capi::kMaxOptionsSize) {
      return Error(Status::invalid_argument, "struct_size is wrong", "tern_session_statistics");
    }
    std::memset(statistics, 0, size);
    statistics->struct_size = size;
    TERN_TRY_ASSIGN(const Session* self, capi::session_of(session));
    const tern::SessionStatistics did = self->statistics();
    tern_session_statistics out{};
    out.struct_size = size;
    out.n_tokens = did.n_tokens;
    out.n_passes = did.n_passes;
    out.nanoseconds = did.nanoseconds;
    out.weight_bytes = did.weight_bytes;
    out.gates = did.skipped.gates.all;
    out.dead_gates = did.skipped.gates.zeros;
    out.inputs = did.skipped.down_inputs.all;
    out.zero_inputs = did.skipped.down_inputs.zeros;
    out.output_inputs = did.skipped.output_inputs.all;
    out.zero_output_inputs = did.skipped.output_inputs.zeros;
    out.n_drafted = did.n_drafted;
    out.n_accepted = did.n_accepted;
    // A caller of an older header has less room.
    std::memcpy(statistics, &out, std::min<size_t>(size, sizeof(out)));
    return {};
  });
}
