// What the C interface's handles hold, and how exceptions become statuses. Knows the public C++ interface only.
#pragma once

#include <rfseg/rfseg.h>
#include <rfseg/rfseg.hpp>

#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>

struct rfseg_segmenter {
  rfseg::Segmenter segmenter;
};
struct rfseg_result {
  rfseg::Result result;
};
struct rfseg_ticket {
  rfseg::Ticket ticket;
};

namespace rfseg::capi {

/// Keeps `sentence` for rfseg_last_error() on this thread.
rfseg_status fail(rfseg_status status, const char* sentence) noexcept;

/// Calls `work`; what it throws becomes a status and a sentence.
template <class Work>
rfseg_status guarded(Work&& work) noexcept {
  try {
    work();
    return RFSEG_OK;
  } catch (const InputError& error) {
    return fail(RFSEG_INPUT_ERROR, error.what());
  } catch (const ModelError& error) {
    return fail(RFSEG_MODEL_ERROR, error.what());
  } catch (const BackendError& error) {
    return fail(RFSEG_BACKEND_ERROR, error.what());
  } catch (const CudaError& error) {
    return fail(RFSEG_CUDA_ERROR, error.what());
  } catch (const std::exception& error) {
    return fail(RFSEG_ERROR, error.what());
  } catch (...) {
    return fail(RFSEG_ERROR, "an exception of another library");
  }
}

/// @throws InputError  it is NULL
template <class T>
T& given(T* pointer, const char* what) {
  if (pointer == nullptr) throw InputError(std::string(what) + " is NULL");
  return *pointer;
}

/// Moves `value` to the caller, who gives it back to take_back().
template <class Handle>
Handle* hand_out(Handle value) {
  return std::make_unique<Handle>(std::move(value)).release();
}

template <class Handle>
void take_back(Handle* handle) {
  const std::unique_ptr<Handle> owned(handle);
}

/// Writes the first `bytes` bytes of `whole`: a caller's struct may be of an older version.
template <class T>
void write(T* target, std::size_t bytes, T whole) {
  whole.struct_bytes = bytes < sizeof(T) ? bytes : sizeof(T);
  std::memcpy(static_cast<void*>(target), &whole, whole.struct_bytes);
}

/// A caller's struct, with `defaults` for the fields that it was compiled without.
/// @throws InputError  it is NULL, has no size, or is of a later version than this library
template <class T>
T read(const T* pointer, T defaults, const char* what) {
  const std::size_t bytes = given(pointer, what).struct_bytes;
  if (bytes < sizeof(std::size_t) || bytes > sizeof(T))
    throw InputError(std::string(what) + " has struct_bytes " + std::to_string(bytes) + ", and this library knows " +
                     std::to_string(sizeof(T)) + ": fill it with " + what +
                     "_init, or with its sizeof; or use a library as new as the header");
  std::memcpy(static_cast<void*>(&defaults), pointer, bytes);
  return defaults;
}

Options options_of(const rfseg_options* options);
ImageView view_of(const rfseg_frame* frame);
FrameOptions frame_options_of(const rfseg_frame_options* options);

}  // namespace rfseg::capi
