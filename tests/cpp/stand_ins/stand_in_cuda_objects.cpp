// Entry points of the CUDA stand-in that make and end things: devices, contexts, memory, modules.
#include "stand_ins/stand_in_cuda_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

using namespace stand_in;

namespace {

int allocate(const char* kind, void** memory, std::size_t bytes) {
  if (const int code = forbidden_while_capturing()) return code;
  if (bytes == 0) return kInvalidValue;
  std::vector<std::byte> block(bytes + 255, std::byte{0xCD});
  // Device memory is 256-byte aligned; the block is kept whole under the aligned address.
  const auto start = reinterpret_cast<std::uintptr_t>(block.data());
  *memory = reinterpret_cast<void*>((start + 255) / 256 * 256);
  state().kinds[*memory] = kind;
  const int device = static_cast<int>(reinterpret_cast<std::uintptr_t>(current().back()) / 4096);
  state().memory.emplace(*memory, Block{std::move(block), bytes, device - 100});
  return 0;
}

void run_everything() {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  for (auto& [stream, owned] : state().streams) {
    while (!stream->items.empty()) step(*stream);
  }
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  ENTER("cuInit");
  return flags == 0 ? 0 : kInvalidValue;
}
int cuDriverGetVersion(int* version) {
  ENTER("cuDriverGetVersion");
  *version = 13000;
  return 0;
}
int cuGetErrorName(int code, const char** name) {
  ENTER("cuGetErrorName");
  *name = code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_OF_THE_STAND_IN";
  return 0;
}
int cuGetErrorString(int, const char** text) {
  ENTER("cuGetErrorString");
  *text = "the stand-in was told to fail";
  return 0;
}
int cuDeviceGetCount(int* count) {
  ENTER("cuDeviceGetCount");
  *count = static_cast<int>(state().devices.size());
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  ENTER("cuDeviceGet");
  *device = 100 + ordinal;
  return 0;
}
int cuDeviceGetName(char* name, int size, int device) {
  ENTER("cuDeviceGetName");
  std::strncpy(name, ("Stand-in " + std::to_string(device - 100)).c_str(), static_cast<std::size_t>(size));
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute");
  const auto [major, minor] = state().devices.at(static_cast<std::size_t>(device - 100));
  *value = attribute == 75 ? major : attribute == 76 ? minor : attribute == 16 ? 3 : -1;
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  ENTER("cuDeviceTotalMem_v2");
  *bytes = std::size_t{16} << 30;
  return 0;
}
int cuDevicePrimaryCtxRetain(ContextHandle* context, int device) {
  ENTER("cuDevicePrimaryCtxRetain");
  ++state().retained[device];
  *context = reinterpret_cast<ContextHandle>(static_cast<std::uintptr_t>(device) * 4096);
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const int code = enter("cuDevicePrimaryCtxRelease_v2");
  if (state().retained[device]-- <= 0) misuse("a primary context is released more often than retained");
  const auto& retained = state().retained;
  const bool last = std::all_of(retained.begin(), retained.end(), [](const auto& one) { return one.second <= 0; });
  if (last && !state().kinds.empty()) misuse("a context ends before the objects in it");
  return code;
}
int cuCtxPushCurrent_v2(ContextHandle context) {
  ENTER("cuCtxPushCurrent_v2");
  current().push_back(context);
  return 0;
}
int cuCtxPopCurrent_v2(ContextHandle* context) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const int code = enter("cuCtxPopCurrent_v2");
  if (const int missing = no_context("cuCtxPopCurrent_v2")) return missing;
  *context = current().back();
  current().pop_back();
  return code;
}

int cuMemAlloc_v2(DeviceAddress* address, std::size_t bytes) {
  ENTER_CURRENT("cuMemAlloc_v2");
  void* memory = nullptr;
  const int code = allocate("device memory", &memory, bytes);
  *address = reinterpret_cast<DeviceAddress>(memory);
  return code;
}
int cuMemFree_v2(DeviceAddress address) {
  run_everything();  // freeing waits for the device, as the driver does
  return destroy("cuMemFree_v2", "device memory", state().memory, reinterpret_cast<const void*>(address));
}
int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  ENTER_CURRENT("cuMemHostAlloc");
  if (flags != 3) misuse("pinned memory that is not portable and mapped");
  return allocate("pinned memory", memory, bytes);
}
int cuMemFreeHost(void* memory) {
  run_everything();
  return destroy("cuMemFreeHost", "pinned memory", state().memory, static_cast<const void*>(memory));
}
int cuPointerGetAttributes(unsigned count, int* attributes, void** values, DeviceAddress pointer) {
  ENTER_CURRENT("cuPointerGetAttributes");
  const auto block = block_around(reinterpret_cast<const void*>(pointer), 1);
  const bool known = block != state().memory.end();
  const bool pinned = known && state().kinds.at(block->first) == "pinned memory";
  for (unsigned i = 0; i < count; ++i) {  // unknown memory is no error: the values are null then
    if (attributes[i] == 2) *static_cast<unsigned*>(values[i]) = !known ? 0 : pinned ? 1 : 2;
    if (attributes[i] == 9) *static_cast<int*>(values[i]) = known ? block->second.ordinal : -2;
  }
  return 0;
}
int cuMemHostGetDevicePointer_v2(DeviceAddress* address, void* memory, unsigned) {
  ENTER_CURRENT("cuMemHostGetDevicePointer_v2");
  if (!is(memory, "pinned memory", "cuMemHostGetDevicePointer_v2")) return kInvalidValue;
  *address = reinterpret_cast<DeviceAddress>(memory);
  return 0;
}
int cuModuleLoadDataEx(ModuleHandle* module, const void* image, unsigned options, int* names, void** values) {
  ENTER_CURRENT("cuModuleLoadDataEx");
  const std::string text(static_cast<const char*>(image), strnlen(static_cast<const char*>(image), 16));
  for (const std::string& prefix : state().refused) {
    if (text.compare(0, prefix.size(), prefix) != 0) continue;
    for (unsigned i = 0; i < options; ++i) {  // 5: the buffer for the compiler's errors
      if (names[i] == 5) std::strcpy(static_cast<char*>(values[i]), "the stand-in's compiler says no");
    }
    return kNoBinary;
  }
  const auto begins = [&text](const std::string& with) { return text.compare(0, with.size(), with) == 0; };
  if (!begins("\177ELF") && !begins(".version") && !begins("//")) return kInvalidImage;  // PTX may open with a comment
  state().images.push_back(text);
  auto functions = std::vector<std::unique_ptr<Function>>();
  functions.push_back(std::make_unique<Function>(Function{{}, image}));
  *module = reinterpret_cast<ModuleHandle>(functions.front().get());
  state().kinds[*module] = "module";
  state().modules.emplace(*module, std::move(functions));
  return 0;
}
int cuModuleUnload(ModuleHandle module) {
  return destroy("cuModuleUnload", "module", state().modules, static_cast<void*>(module));
}
int cuModuleGetFunction(FunctionHandle* function, ModuleHandle module, const char* name) {
  ENTER_CURRENT("cuModuleGetFunction");
  if (!is(module, "module", "cuModuleGetFunction")) return kInvalidHandle;
  if (state().kernels.count(name) == 0) return kNotFound;
  auto& functions = state().modules.at(module);
  functions.push_back(std::make_unique<Function>(Function{name, functions.front()->image}));
  *function = reinterpret_cast<FunctionHandle>(functions.back().get());
  return 0;
}
int cuFuncSetAttribute(FunctionHandle, int attribute, int) {
  ENTER_CURRENT("cuFuncSetAttribute");
  return attribute == 8 ? 0 : kInvalidValue;
}
}  // extern "C"
