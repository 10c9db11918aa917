#include "pipeline/gpu/hand_back.hpp"

#include "raster/detections/postprocess.hpp"

#include <kernel_abi.hpp>

#include <utility>
#include <vector>

namespace rfseg::pipeline {

static_assert(sizeof(Run) == 2 * sizeof(std::int32_t), "pairs of toggles are runs");

bool overflowed(const kernel_abi::HandBack& hand_back) { return hand_back.header.flags != 0; }

std::size_t bytes_back(const kernel_abi::HandBack& hand_back) {
  const kernel_abi::SelectionHeader& header = hand_back.header;
  return sizeof header + sizeof(std::int32_t) * static_cast<std::size_t>(header.slot_count + header.toggle_count) +
         sizeof(kernel_abi::Record) * static_cast<std::size_t>(header.record_count);
}

Result read_hand_back(const kernel_abi::HandBack& hand_back, const Run* runs, const raster::FrameGeometry& geometry) {
  const kernel_abi::SelectionHeader& header = hand_back.header;
  std::vector<std::int64_t> offsets{0};
  for (int slot = 0; slot < header.slot_count; ++slot) offsets.push_back(hand_back.toggle_end[slot] / 2);
  raster::ResultBuilder result(geometry, static_cast<std::size_t>(header.record_count));
  for (int i = 0; i < header.record_count; ++i) {
    const kernel_abi::Record& record = hand_back.records[i];
    const float cxcywh[] = {record.cx, record.cy, record.w, record.h};
    result.add(cxcywh, record.logit, record.column, record.mask_slot);
  }
  std::vector<Run> found(runs, runs + offsets.back());
  return result.finish(std::move(found), std::move(offsets));
}

}  // namespace rfseg::pipeline
