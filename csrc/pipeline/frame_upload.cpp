#include "pipeline/frame_upload.hpp"

#include "cuda/pointer.hpp"
#include "pipeline/parallel_for.hpp"
#include "raster/packed_rows.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace rfseg::pipeline {

namespace {

constexpr std::size_t kPieceBytes = 1 << 17;    // what one thread copies at a time
constexpr std::size_t kSectionBytes = 2 << 20;  // what is uploaded while the next section is copied

DeviceAddress address_of(const ImageView& frame) { return reinterpret_cast<DeviceAddress>(frame.data); }

bool is_packed(const ImageView& frame) {
  return raster::has_packed_rows(frame) && frame.row_bytes == std::ptrdiff_t{3} * frame.width;
}

bool is_pinned(const cuda::Stream& stream, const ImageView& frame) {
  return is_packed(frame) &&
         cuda::describe_address(stream.driver(), address_of(frame)).kind == cuda::AddressKind::pinned;
}

void expect_device(const cuda::Stream& stream, const ImageView& frame) {
  const cuda::AddressInfo info = cuda::describe_address(stream.driver(), address_of(frame));
  const int ours = stream.device()->info().ordinal;
  if (info.kind == cuda::AddressKind::device && info.device != ours)
    throw InputError("the frame is on cuda:" + std::to_string(info.device) + ", the Segmenter on cuda:" +
                     std::to_string(ours) + ": copy the frame there, or open a Segmenter on its device");
  if (info.kind == cuda::AddressKind::ordinary)
    throw InputError("the frame is said to be in device memory, but the driver knows no such memory");
}

void gather(const cuda::Stream& stream, const ImageView& frame, const FramePlan& plan, const cuda::Event& event) {
  expect_device(stream, frame);
  if (frame.producer_stream != 0) {
    // Producer: whoever fills the frame. Consumer: this stream. Without the wait it would read pixels not written yet.
    event.enqueue_record(reinterpret_cast<cuda::StreamHandle>(frame.producer_stream));
    stream.enqueue_wait(event);
  }
  plan.enqueue_gather(stream, {address_of(frame), frame.row_bytes, frame.pixel_bytes, frame.channel_bytes});
}

/// Copies rows [first, end) of `frame` to their place in `pixels`, with `crew` helping.
void copy_rows(const ImageView& frame, int first, int end, std::uint8_t* pixels, WorkerPool& crew) {
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(frame.width);
  const int rows = static_cast<int>(std::max<std::size_t>(1, kPieceBytes / row_bytes));
  parallel_for(crew, (end - first + rows - 1) / rows, [&](int piece) {
    const int begin = first + piece * rows, behind = std::min(begin + rows, end);
    const auto place = [&](int y) { return pixels + static_cast<std::size_t>(y) * row_bytes; };
    if (is_packed(frame)) {  // at once: row by row the same bytes took a quarter longer
      std::memcpy(place(begin), frame.data + begin * frame.row_bytes,
                  static_cast<std::size_t>(behind - begin) * row_bytes);
    } else {
      for (int y = begin; y < behind; ++y) raster::pack_row(frame, y, place(y));
    }
  });
}

/// The crew only copies: the driver takes one call at a time, so calls from every thread would queue up behind each
/// other.
void copy_by_sections(const cuda::Stream& stream, const ImageView& frame, FramePlan& plan, WorkerPool& crew) {
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(frame.width);
  const int rows = static_cast<int>(std::max<std::size_t>(1, kSectionBytes / row_bytes));
  const auto pixels = reinterpret_cast<std::uint8_t*>(plan.upload().data());
  for (int first = 0; first < frame.height; first += rows) {
    const int end = std::min(first + rows, frame.height);
    copy_rows(frame, first, end, pixels, crew);
    const std::size_t offset = static_cast<std::size_t>(first) * row_bytes;
    cuda::enqueue_copy(stream, plan.source(), offset, pixels + offset,
                       static_cast<std::size_t>(end - first) * row_bytes);
  }
}

}  // namespace

bool enqueue_upload(const cuda::Stream& stream, const ImageView& frame, FramePlan& plan, const cuda::Event& uploaded,
                    WorkerPool& crew) {
  if (frame.memory == MemoryKind::device) {
    gather(stream, frame, plan, uploaded);
  } else if (is_pinned(stream, frame)) {
    cuda::enqueue_copy(stream, plan.source(), 0, frame.data, plan.source().bytes());
  } else {
    copy_by_sections(stream, frame, plan, crew);
    return false;
  }
  stream.enqueue_record(uploaded);
  return true;
}

}  // namespace rfseg::pipeline
