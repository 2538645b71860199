// The last seconds of a camera as packets, by whole groups of pictures.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {

// Of memory, with what belongs to it.
uint64_t BytesOf(const LivePacket& packet);
// When it is to be decoded, in stream time: never after its presentation.
double OrderOf(const LivePacket& packet);
// It has bytes, a track and a time.
bool IsUsable(const LivePacket& packet);
// They can be in one file.
bool BelongTogether(const LivePacket& a, const LivePacket& b);

// Threads: one at a time.
class PacketRing {
 public:
  // Keeps what is needed to begin `keep_s` before the latest packet, and never more than `bytes_max`: the
  // oldest groups go, and a group that is larger by itself. Nothing is kept before a keyframe.
  void Add(const LivePacket& packet, double keep_s, uint64_t bytes_max);

  // The packets of the stretch of `epoch` that holds `event_s`, from the last keyframe up to `from_s` (or the
  // first there is) on to the end of the ring or the stretch. Empty where the ring does not reach back to the
  // event.
  std::vector<LivePacket> From(uint32_t epoch, double event_s, double from_s) const;

  uint64_t bytes() const { return bytes_; }
  double latest_s() const { return latest_s_; }

 private:
  struct Group {
    std::vector<LivePacket> packets;  // the first is a keyframe
    uint64_t bytes = 0;
  };
  void DropOldest();

  std::deque<Group> groups_;
  bool open_ = false;  // the last group goes on
  uint64_t bytes_ = 0;
  double latest_s_ = 0;
};

}  // namespace sightline::cameras
