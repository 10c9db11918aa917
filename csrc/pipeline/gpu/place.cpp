#include "pipeline/gpu/place.hpp"

#include "raster/resize/packed_rows.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rfseg::pipeline {

void RunCapacity::note(int toggles) {
  if (toggles > kMost) return;
  int room = kFirst;
  while (room < toggles) room *= 2;
  int known = toggles_.load(std::memory_order_relaxed);
  while (known < room && !toggles_.compare_exchange_weak(known, room, std::memory_order_relaxed)) {
  }
}

Place::Place(const GpuModel& model, int number)
    : model_(model),
      stream_(model.device, "place " + std::to_string(number) + " stream", cuda::Priority::high),
      arrived_(model.device, "place " + std::to_string(number) + " upload"),
      upload_(model.device, "frame upload"),
      source_(model.device, "frame"),
      between_(model.device, "first resize pass"),
      host_tables_(model.device, "frame tables on their way"),
      device_tables_(model.device, "frame tables"),
      column_toggles_(model.device, "run counts"),
      toggles_(model.device, "runs"),
      host_toggles_(model.device, "runs for the host"),
      hand_back_(model.device, sizeof(kernel_abi::HandBack), "results") {}

void Place::drain() const noexcept {
  try {
    const cuda::CurrentDevice current(*model_.device);
    stream_.wait_idle();
  } catch (const std::exception&) {  // the device is lost: nothing runs any more
  }
}

void Place::prepare(std::shared_ptr<const FrameTables> tables, int toggle_capacity) {
  arrived_.wait_reached();  // of a frame that was cancelled, or failed: what it reads is about to be written
  const ImageSize source = tables->geometry.source(), network = tables->geometry.network();
  between_.reserve(std::max(raster::packed_bytes({network.height, source.width}),
                            raster::packed_bytes({source.height, network.width})));
  const auto capacity = static_cast<std::size_t>(toggle_capacity) * sizeof(std::int32_t);
  column_toggles_.reserve(static_cast<std::size_t>(kernel_abi::column_toggles_bytes(model_.most_slots, source.width)));
  toggles_.reserve(capacity);
  host_toggles_.reserve(capacity);
  if (holds(tables.get())) return;
  tables_ = nullptr;  // until the new ones are on their way
  host_tables_.reserve(tables->bytes());
  device_tables_.reserve(tables->bytes());
  std::memcpy(host_tables_->data(), tables->words.data(), tables->bytes());
  cuda::enqueue_copy(stream_, *device_tables_, *host_tables_, tables->bytes());
  tables_ = std::move(tables);
}

void Place::expect(const ImageView& frame) {
  layout_ = FrameLayout(frame);
  source_.reserve(layout_.bytes());
}

kernel_abi::FrameParams Place::params() const {
  const ImageSize source = geometry().source();
  const raster::ResizePasses passes = geometry().passes();
  kernel_abi::FrameParams params{};
  layout_.describe(source_->address(), params);
  params.height = source.height, params.width = source.width;
  params.resize_x = table(tables_->resize_x), params.resize_y = table(tables_->resize_y);
  params.taps_x = tables_->taps_x, params.taps_y = tables_->taps_y;
  params.passes = passes.count;
  params.first_down = passes.first_down ? 1 : 0, params.last_down = passes.last_down ? 1 : 0;
  params.between = between_->address();
  params.between_height = passes.between.height, params.between_width = passes.between.width;
  const float least = raster::least_cut(*rule);
  std::memcpy(&params.least_cut, &least, sizeof least);
  params.max_detections = rule->max_detections;
  params.mask_x = table(tables_->mask_x), params.mask_y = table(tables_->mask_y);
  params.node_row = table(tables_->node_row);
  params.column_toggles = column_toggles_->address(), params.toggles = toggles_->address();
  params.toggle_capacity = static_cast<std::int64_t>(toggles_.bytes() / sizeof(std::int32_t));
  params.hand_back = hand_back_.address(), params.host_toggles = host_toggles_->address();
  return params;
}

const kernel_abi::HandBack& Place::hand_back() const {
  return *reinterpret_cast<const kernel_abi::HandBack*>(hand_back_.data());
}

}  // namespace rfseg::pipeline
