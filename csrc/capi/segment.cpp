// Opening, inferring and tickets through the C interface, and what went wrong last.
#include "capi/handles.hpp"

#include <utility>

namespace rfseg::capi {
namespace {

std::string& last_error() {
  thread_local std::string sentence;
  return sentence;
}

}  // namespace

rfseg_status fail(rfseg_status status, const char* sentence) noexcept {
  try {
    last_error() = sentence;
  } catch (...) {  // no memory for the sentence: the status stays
    last_error().clear();
  }
  return status;
}

}  // namespace rfseg::capi

using namespace rfseg::capi;

const char* rfseg_version(void) { return RFSEG_VERSION; }

const char* rfseg_last_error(void) { return last_error().c_str(); }

rfseg_status rfseg_open(const char* model, const rfseg_options* options, rfseg_segmenter** segmenter) {
  return guarded([&] {
    rfseg_segmenter*& target = given(segmenter, "segmenter");
    target = hand_out(rfseg_segmenter{rfseg::Segmenter(&given(model, "model"), options_of(options))});
  });
}

void rfseg_close(rfseg_segmenter* segmenter) { take_back(segmenter); }

rfseg_status rfseg_infer(rfseg_segmenter* segmenter, const rfseg_frame* frame, const rfseg_frame_options* options,
                         rfseg_result** result) {
  return guarded([&] {
    rfseg_result*& target = given(result, "result");
    rfseg::Segmenter& opened = given(segmenter, "segmenter").segmenter;
    target = hand_out(rfseg_result{opened.infer(view_of(frame), frame_options_of(options))});
  });
}

rfseg_status rfseg_submit(rfseg_segmenter* segmenter, const rfseg_frame* frame, const rfseg_frame_options* options,
                          rfseg_ticket** ticket) {
  return guarded([&] {
    rfseg_ticket*& target = given(ticket, "ticket");
    rfseg::Segmenter& opened = given(segmenter, "segmenter").segmenter;
    target = hand_out(rfseg_ticket{opened.start(view_of(frame), frame_options_of(options))});
  });
}

int32_t rfseg_ticket_ready(const rfseg_ticket* ticket) { return ticket != nullptr && ticket->ticket.ready() ? 1 : 0; }

int32_t rfseg_ticket_cancel(const rfseg_ticket* ticket) { return ticket != nullptr && ticket->ticket.cancel() ? 1 : 0; }

rfseg_status rfseg_ticket_take(const rfseg_ticket* ticket, rfseg_result** result) {
  return guarded([&] {
    rfseg_result*& target = given(result, "result");  // before the only result is taken
    target = hand_out(rfseg_result{given(ticket, "ticket").ticket.take()});
  });
}

void rfseg_ticket_free(rfseg_ticket* ticket) { take_back(ticket); }
