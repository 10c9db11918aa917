// Entry points of the CUDA stand-in that queue work, wait for it, and capture it.
#include "stand_ins/stand_in_cuda_state.hpp"

#include <cstring>
#include <utility>

using namespace stand_in;

namespace {

EventState* event_of(EventHandle event) { return reinterpret_cast<EventState*>(event); }
bool is_captured(EventHandle event) { return !event_of(event)->mark->done && event_of(event)->mark->stream == nullptr; }

void reach(const Mark& mark) {
  while (!mark.done && !mark.stream->items.empty()) step(*mark.stream);
}

bool inside_memory(const void* address, std::size_t bytes) {
  return block_around(address, bytes) != state().memory.end();
}

int copy(const char* symbol, StreamHandle stream, void* to, const void* from, std::size_t bytes) {
  if (!is(stream, "stream", symbol)) return kInvalidHandle;
  if (!inside_memory(to, bytes) || !inside_memory(from, bytes)) {
    misuse(std::string(symbol) + " leaves its memory");
    return kInvalidValue;
  }
  return queue_work(queue_of(stream), [=] { std::memcpy(to, from, bytes); });
}

Launch launch_of(const Function& function, const unsigned (&grid)[3], const unsigned (&block)[3], unsigned shared_bytes,
                 void** parameters) {
  Launch launch{function.entry, {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared_bytes, {},
                function.image};
  for (const std::size_t bytes : state().kernels.at(function.entry).parameter_bytes) {
    const auto* const first = static_cast<const std::byte*>(*parameters++);
    launch.arguments.emplace_back(first, first + bytes);
  }
  return launch;
}

}  // namespace

extern "C" {

int cuThreadExchangeStreamCaptureMode(int* mode) {
  ENTER("cuThreadExchangeStreamCaptureMode");
  if (*mode < 0 || *mode > 2) return kInvalidValue;
  std::swap(capture_mode(), *mode);
  return 0;
}
int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  ENTER_CURRENT("cuCtxGetStreamPriorityRange");
  *least = 0, *greatest = -5;
  return 0;
}
int cuStreamCreateWithPriority(StreamHandle* stream, unsigned flags, int priority) {
  ENTER_CURRENT("cuStreamCreateWithPriority");
  if (priority > 0 || priority < -5) misuse("a priority out of the device's range");
  if (flags != 1) misuse("a stream that synchronises with the default stream");
  auto queue = std::make_unique<Queue>();
  *stream = reinterpret_cast<StreamHandle>(queue.get());
  state().kinds[*stream] = "stream";
  state().streams.emplace(queue.get(), std::move(queue));
  return 0;
}
int cuStreamDestroy_v2(StreamHandle stream) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  if (state().kinds.count(stream) != 0) {
    if (queue_of(stream)->captured) misuse("a stream ends while it is captured");
    while (!queue_of(stream)->items.empty()) step(*queue_of(stream));
  }
  return destroy("cuStreamDestroy_v2", "stream", state().streams, queue_of(stream));
}
int cuStreamSynchronize(StreamHandle stream) {
  ENTER_CURRENT("cuStreamSynchronize");
  if (!is(stream, "stream", "cuStreamSynchronize")) return kInvalidHandle;
  if (queue_of(stream)->captured) return forbidden_while_capturing();
  while (!queue_of(stream)->items.empty()) step(*queue_of(stream));
  return 0;
}
int cuStreamWaitEvent(StreamHandle stream, EventHandle event, unsigned) {
  ENTER_CURRENT("cuStreamWaitEvent");
  if (!is(stream, "stream", "cuStreamWaitEvent") || !is(event, "event", "cuStreamWaitEvent")) return kInvalidHandle;
  return queue_work(queue_of(stream), nullptr, event_of(event)->mark);
}

int cuEventCreate(EventHandle* event, unsigned flags) {
  ENTER_CURRENT("cuEventCreate");
  auto made = std::make_unique<EventState>();
  made->timed = (flags & 2) == 0;
  *event = reinterpret_cast<EventHandle>(made.get());
  state().kinds[*event] = "event";
  state().events.emplace(made.get(), std::move(made));
  return 0;
}
int cuEventDestroy_v2(EventHandle event) {
  return destroy("cuEventDestroy_v2", "event", state().events, event_of(event));
}
int cuEventRecord(EventHandle event, StreamHandle stream) {
  ENTER_CURRENT("cuEventRecord");
  if (!is(stream, "stream", "cuEventRecord") || !is(event, "event", "cuEventRecord")) return kInvalidHandle;
  auto mark = std::make_shared<Mark>();
  mark->done = false;
  mark->stream = queue_of(stream)->captured ? nullptr : queue_of(stream);
  event_of(event)->mark = mark;
  return queue_work(queue_of(stream), [mark] {
    mark->done = true;
    mark->at_ms = state().clock_ms;
  });
}
int cuEventSynchronize(EventHandle event) {
  ENTER_CURRENT("cuEventSynchronize");
  if (!is(event, "event", "cuEventSynchronize")) return kInvalidHandle;
  if (is_captured(event)) return kCapturedEvent;
  reach(*event_of(event)->mark);
  return 0;
}
int cuEventQuery(EventHandle event) {
  ENTER_CURRENT("cuEventQuery");
  if (!is(event, "event", "cuEventQuery")) return kInvalidHandle;
  if (is_captured(event)) return kCapturedEvent;
  if (state().not_ready > 0) {
    --state().not_ready;
    return kNotReady;
  }
  reach(*event_of(event)->mark);
  return 0;
}
int cuEventElapsedTime(float* ms, EventHandle start, EventHandle end) {
  ENTER_CURRENT("cuEventElapsedTime");
  if (!is(start, "event", "cuEventElapsedTime") || !is(end, "event", "cuEventElapsedTime")) return kInvalidHandle;
  if (!event_of(start)->timed || !event_of(end)->timed) return kInvalidHandle;
  if (!event_of(start)->mark->done || !event_of(end)->mark->done) return kNotReady;
  *ms = static_cast<float>(event_of(end)->mark->at_ms - event_of(start)->mark->at_ms);
  return 0;
}

int cuMemcpyHtoDAsync_v2(DeviceAddress to, const void* from, std::size_t bytes, StreamHandle stream) {
  ENTER_CURRENT("cuMemcpyHtoDAsync_v2");
  return copy("cuMemcpyHtoDAsync_v2", stream, reinterpret_cast<void*>(to), from, bytes);
}
int cuMemcpyDtoHAsync_v2(void* to, DeviceAddress from, std::size_t bytes, StreamHandle stream) {
  ENTER_CURRENT("cuMemcpyDtoHAsync_v2");
  return copy("cuMemcpyDtoHAsync_v2", stream, to, reinterpret_cast<const void*>(from), bytes);
}
int cuMemsetD8Async(DeviceAddress to, unsigned char value, std::size_t bytes, StreamHandle stream) {
  ENTER_CURRENT("cuMemsetD8Async");
  if (!is(stream, "stream", "cuMemsetD8Async")) return kInvalidHandle;
  void* const memory = reinterpret_cast<void*>(to);
  if (!inside_memory(memory, bytes)) return kInvalidValue;
  return queue_work(queue_of(stream), [=] { std::memset(memory, value, bytes); });
}

int cuLaunchKernel(FunctionHandle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, StreamHandle stream, void** parameters,
                   void** extra) {
  ENTER_CURRENT("cuLaunchKernel");
  if (!is(stream, "stream", "cuLaunchKernel")) return kInvalidHandle;
  if (grid_x == 0 || grid_y == 0 || grid_z == 0 || block_x == 0 || extra != nullptr) return kInvalidValue;
  const auto launch = launch_of(*reinterpret_cast<Function*>(function), {grid_x, grid_y, grid_z},
                                {block_x, block_y, block_z}, shared_bytes, parameters);
  return queue_work(queue_of(stream), [launch] {
    state().launches.push_back(launch);
    if (const auto& run = state().kernels.at(launch.entry).run) run(launch);
  });
}

int cuStreamBeginCapture_v2(StreamHandle stream, int mode) {
  ENTER_CURRENT("cuStreamBeginCapture_v2");
  if (!is(stream, "stream", "cuStreamBeginCapture_v2") || queue_of(stream)->captured) return kInvalidHandle;
  if (mode != 1) misuse("a capture that is not thread-local");
  if (capture_mode() != 1 && state().failures.count("cuThreadExchangeStreamCaptureMode") == 0)
    misuse("a capture that this thread may disturb itself");
  queue_of(stream)->captured = std::make_shared<std::vector<Work>>();
  queue_of(stream)->capturing = std::this_thread::get_id();
  queue_of(stream)->invalidated = false;
  return 0;
}
int cuStreamEndCapture(StreamHandle stream, GraphHandle* graph) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const int code = enter("cuStreamEndCapture");
  *graph = nullptr;
  if (!is(stream, "stream", "cuStreamEndCapture") || !queue_of(stream)->captured) return kInvalidHandle;
  auto made = std::make_unique<std::vector<Work>>(*queue_of(stream)->captured);
  queue_of(stream)->captured.reset();
  if (queue_of(stream)->invalidated) return kCaptureInvalidated;
  *graph = reinterpret_cast<GraphHandle>(made.get());
  state().kinds[*graph] = "graph";
  state().graphs.emplace(*graph, std::move(made));
  return code;  // a failure here comes with a graph: the caller must drop it
}
int cuGraphGetNodes(GraphHandle graph, GraphNodeHandle* nodes, std::size_t* count) {
  ENTER_CURRENT("cuGraphGetNodes");
  if (!is(graph, "graph", "cuGraphGetNodes") || nodes != nullptr) return kInvalidValue;
  *count = state().graphs.at(graph)->size();
  return 0;
}
int cuGraphInstantiateWithFlags(GraphExecHandle* exec, GraphHandle graph, unsigned long long) {
  ENTER_CURRENT("cuGraphInstantiateWithFlags");
  if (!is(graph, "graph", "cuGraphInstantiateWithFlags")) return kInvalidHandle;
  auto made = std::make_unique<std::vector<Work>>(*state().graphs.at(graph));
  *exec = reinterpret_cast<GraphExecHandle>(made.get());
  state().kinds[*exec] = "graph exec";
  state().graphs.emplace(*exec, std::move(made));
  return 0;
}
int cuGraphLaunch(GraphExecHandle exec, StreamHandle stream) {
  ENTER_CURRENT("cuGraphLaunch");
  if (!is(exec, "graph exec", "cuGraphLaunch") || !is(stream, "stream", "cuGraphLaunch")) return kInvalidHandle;
  for (const Work& work : *state().graphs.at(exec)) queue_work(queue_of(stream), work);
  return 0;
}
int cuGraphExecDestroy(GraphExecHandle exec) {
  return destroy("cuGraphExecDestroy", "graph exec", state().graphs, static_cast<void*>(exec));
}
int cuGraphDestroy(GraphHandle graph) {
  return destroy("cuGraphDestroy", "graph", state().graphs, static_cast<void*>(graph));
}

}  // extern "C"
