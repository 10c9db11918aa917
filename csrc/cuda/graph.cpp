// Capture, instantiation, launch. Knows nothing of what is captured.
#include "cuda/graph.hpp"

#include "cuda/check.hpp"

#include <utility>

namespace rfseg::cuda {

namespace {

constexpr int kThreadLocal = 1;                                    // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
constexpr ResultCode kFirstOfCapture = 900, kLastOfCapture = 908;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED and so on

UniqueGraphExec instantiate(const Graph& graph) {
  const Driver& driver = graph.device()->driver();
  const CurrentDevice current(*graph.device());
  GraphExecHandle handle = nullptr;
  check(driver, driver.cuGraphInstantiateWithFlags(&handle, graph.get(), 0), "cuGraphInstantiateWithFlags",
        graph.name());
  return UniqueGraphExec(handle, {graph.device()});
}

}  // namespace

Graph::Graph(UniqueGraph handle, std::string name, std::size_t nodes)
    : name_(std::move(name)), handle_(std::move(handle)), nodes_(nodes) {}

Capture::Capture(const Stream& stream) : stream_(stream), rule_(stream.driver(), CaptureRule::own) {
  check(stream.driver(), stream.driver().cuStreamBeginCapture_v2(stream.get(), kThreadLocal), "cuStreamBeginCapture_v2",
        stream.name());
  stream.device()->count_capture();
}

Capture::~Capture() {
  if (!open_) return;
  GraphHandle dropped = nullptr;
  stream_.driver().cuStreamEndCapture(stream_.get(), &dropped);
  const UniqueGraph graph(dropped, {stream_.device()});
}

Graph Capture::end() {
  const Driver& driver = stream_.driver();
  std::string name = "the graph captured on " + stream_.name();
  GraphHandle handle = nullptr;
  const ResultCode code = driver.cuStreamEndCapture(stream_.get(), &handle);
  open_ = false;
  UniqueGraph graph(handle, {stream_.device()});  // before the check: a failure may come with a graph
  check(driver, code, "cuStreamEndCapture", name);
  std::size_t nodes = 0;
  if (handle != nullptr) check(driver, driver.cuGraphGetNodes(handle, nullptr, &nodes), "cuGraphGetNodes", name);
  if (nodes == 0) throw CudaError(name + " is empty: nothing was queued between begin and end");
  return {std::move(graph), std::move(name), nodes};
}

bool refuses_capture(const CudaError& error) noexcept {
  const auto* const driver = dynamic_cast<const DriverError*>(&error);
  return driver == nullptr /* an empty graph */ ||
         (driver->code() >= kFirstOfCapture && driver->code() <= kLastOfCapture);
}

GraphExec::GraphExec(const Graph& graph) : name_(graph.name()), handle_(instantiate(graph)) {}

void GraphExec::enqueue(const Stream& stream) const {
  check(stream.driver(), stream.driver().cuGraphLaunch(handle_.get(), stream.get()), "cuGraphLaunch", name_);
}

}  // namespace rfseg::cuda
