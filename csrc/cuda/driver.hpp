// The functions of the CUDA driver that this library calls, opened at run time. Owns their prototypes, so that no CUDA
// header and no link is needed; a test compares them with a real cuda.h. Does not judge results: check.hpp does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace rfseg::cuda {

using ResultCode = int;               // CUresult
using DeviceHandle = int;             // CUdevice
using DeviceAddress = std::uint64_t;  // CUdeviceptr
using ContextHandle = struct OpaqueContext*;
using StreamHandle = struct OpaqueStream*;  // also cudaStream_t
using EventHandle = struct OpaqueEvent*;
using ModuleHandle = struct OpaqueModule*;
using FunctionHandle = struct OpaqueFunction*;
using GraphHandle = struct OpaqueGraph*;
using GraphNodeHandle = struct OpaqueGraphNode*;
using GraphExecHandle = struct OpaqueGraphExec*;

// Every function by the name that the library exports: cuda.h hides the _v2 behind macros, dlsym needs it.
#define RFSEG_CUDA_DRIVER_CALLS(CALL)                                                                                \
  CALL(cuInit, unsigned flags)                                                                                       \
  CALL(cuDriverGetVersion, int* version)                                                                             \
  CALL(cuGetErrorName, ResultCode code, const char** name)                                                           \
  CALL(cuGetErrorString, ResultCode code, const char** text)                                                         \
  CALL(cuDeviceGetCount, int* count)                                                                                 \
  CALL(cuDeviceGet, DeviceHandle* device, int ordinal)                                                               \
  CALL(cuDeviceGetName, char* name, int size, DeviceHandle device)                                                   \
  CALL(cuDeviceGetAttribute, int* value, int attribute, DeviceHandle device)                                         \
  CALL(cuDeviceTotalMem_v2, std::size_t* bytes, DeviceHandle device)                                                 \
  CALL(cuDevicePrimaryCtxRetain, ContextHandle* context, DeviceHandle device)                                        \
  CALL(cuDevicePrimaryCtxRelease_v2, DeviceHandle device)                                                            \
  CALL(cuCtxPushCurrent_v2, ContextHandle context)                                                                   \
  CALL(cuCtxPopCurrent_v2, ContextHandle* context)                                                                   \
  CALL(cuThreadExchangeStreamCaptureMode, int* mode)                                                                 \
  CALL(cuCtxGetStreamPriorityRange, int* least, int* greatest)                                                       \
  CALL(cuStreamCreateWithPriority, StreamHandle* stream, unsigned flags, int priority)                               \
  CALL(cuStreamDestroy_v2, StreamHandle stream)                                                                      \
  CALL(cuStreamSynchronize, StreamHandle stream)                                                                     \
  CALL(cuStreamWaitEvent, StreamHandle stream, EventHandle event, unsigned flags)                                    \
  CALL(cuEventCreate, EventHandle* event, unsigned flags)                                                            \
  CALL(cuEventDestroy_v2, EventHandle event)                                                                         \
  CALL(cuEventRecord, EventHandle event, StreamHandle stream)                                                        \
  CALL(cuEventSynchronize, EventHandle event)                                                                        \
  CALL(cuEventQuery, EventHandle event)                                                                              \
  CALL(cuEventElapsedTime, float* ms, EventHandle start, EventHandle end)                                            \
  CALL(cuMemAlloc_v2, DeviceAddress* address, std::size_t bytes)                                                     \
  CALL(cuMemFree_v2, DeviceAddress address)                                                                          \
  CALL(cuMemHostAlloc, void** memory, std::size_t bytes, unsigned flags)                                             \
  CALL(cuMemFreeHost, void* memory)                                                                                  \
  CALL(cuPointerGetAttributes, unsigned count, int* attributes, void** values, DeviceAddress pointer)                \
  CALL(cuMemHostGetDevicePointer_v2, DeviceAddress* address, void* memory, unsigned flags)                           \
  CALL(cuMemcpyHtoDAsync_v2, DeviceAddress to, const void* from, std::size_t bytes, StreamHandle stream)             \
  CALL(cuMemcpyDtoHAsync_v2, void* to, DeviceAddress from, std::size_t bytes, StreamHandle stream)                   \
  CALL(cuMemsetD8Async, DeviceAddress to, unsigned char value, std::size_t bytes, StreamHandle stream)               \
  CALL(cuModuleLoadDataEx, ModuleHandle* module, const void* image, unsigned options, int* names, void** values)     \
  CALL(cuModuleUnload, ModuleHandle module)                                                                          \
  CALL(cuModuleGetFunction, FunctionHandle* function, ModuleHandle module, const char* name)                         \
  CALL(cuFuncSetAttribute, FunctionHandle function, int attribute, int value)                                        \
  CALL(cuLaunchKernel, FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, \
       unsigned block_y, unsigned block_z, unsigned shared_bytes, StreamHandle stream, void** parameters,            \
       void** extra)                                                                                                 \
  CALL(cuStreamBeginCapture_v2, StreamHandle stream, int mode)                                                       \
  CALL(cuStreamEndCapture, StreamHandle stream, GraphHandle* graph)                                                  \
  CALL(cuGraphGetNodes, GraphHandle graph, GraphNodeHandle* nodes, std::size_t* count)                               \
  CALL(cuGraphInstantiateWithFlags, GraphExecHandle* exec, GraphHandle graph, unsigned long long flags)              \
  CALL(cuGraphLaunch, GraphExecHandle exec, StreamHandle stream)                                                     \
  CALL(cuGraphExecDestroy, GraphExecHandle exec)                                                                     \
  CALL(cuGraphDestroy, GraphHandle graph)

/// The driver's functions, under the names it exports them by. Immutable once opened; every thread may call.
struct Driver {
  std::string path;  ///< as given to the loader
#define RFSEG_CUDA_MEMBER(symbol, ...) ResultCode (*symbol)(__VA_ARGS__) = nullptr;
  RFSEG_CUDA_DRIVER_CALLS(RFSEG_CUDA_MEMBER)
#undef RFSEG_CUDA_MEMBER
};

using SharedDriver = std::shared_ptr<const Driver>;

/// Opens the driver and initialises it. `path`: of libcuda; empty: RFSEG_LIBCUDA, then `libcuda.so.1`. The library
/// stays loaded for the life of this program: its threads and exit handlers outlive everything made with it.
/// @throws BackendError  there is no driver, or it lacks a function (then it is too old)
/// @throws CudaError     it does not initialise; without a visible GPU it says so here
SharedDriver open_driver(const std::string& path = {});

}  // namespace rfseg::cuda
