#include "cameras/evidence/packet_ring.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <algorithm>
#include <cmath>

namespace sightline::cameras {

uint64_t BytesOf(const LivePacket& packet) {
  constexpr uint64_t kAround = sizeof(LivePacket) + sizeof(AVPacket) + 64;
  const AVPacket& media = *packet.packet;
  const auto size = static_cast<uint64_t>(std::max(media.size, 0));
  uint64_t bytes = kAround + (media.buf != nullptr ? std::max<uint64_t>(media.buf->size, size) : size);
  for (int i = 0; i < media.side_data_elems; ++i) bytes += media.side_data[i].size;
  return bytes;
}

double OrderOf(const LivePacket& packet) {
  const AVPacket& media = *packet.packet;
  if (media.pts == AV_NOPTS_VALUE || media.dts == AV_NOPTS_VALUE) return packet.stream_s;
  const double unit = static_cast<double>(packet.track->time_base_num) /
                      static_cast<double>(std::max<int64_t>(packet.track->time_base_den, 1));
  constexpr double kReorderMax = 10;  // seconds; more is nonsense
  const double reordered = (static_cast<double>(media.pts) - static_cast<double>(media.dts)) * unit;
  return packet.stream_s - std::clamp(reordered, 0.0, kReorderMax);
}

bool IsUsable(const LivePacket& packet) {
  constexpr double kSecondsMax = 1e9;
  return packet.packet != nullptr && packet.packet->data != nullptr && packet.packet->size > 0 &&
         packet.track != nullptr && packet.track->parameters != nullptr && std::isfinite(packet.stream_s) &&
         std::fabs(packet.stream_s) < kSecondsMax;
}

bool BelongTogether(const LivePacket& a, const LivePacket& b) {
  return a.epoch == b.epoch && a.track == b.track;
}

void PacketRing::Add(const LivePacket& packet, double keep_s, uint64_t bytes_max) {
  if (!IsUsable(packet)) return;
  if (open_ && !BelongTogether(groups_.back().packets.front(), packet)) open_ = false;
  if (packet.key) {
    groups_.emplace_back();
    open_ = true;
  }
  if (!open_) return;
  const uint64_t bytes = BytesOf(packet);
  groups_.back().packets.push_back(packet);
  groups_.back().bytes += bytes;
  bytes_ += bytes;
  // A jump back in time is a new stretch: what was later counts no more.
  latest_s_ = packet.key ? packet.stream_s : std::max(latest_s_, packet.stream_s);
  while (groups_.size() > 1 && groups_[1].packets.front().stream_s <= latest_s_ - keep_s) DropOldest();
  while (bytes_ > bytes_max) DropOldest();
  if (groups_.empty()) open_ = false;
}

void PacketRing::DropOldest() {
  bytes_ -= groups_.front().bytes;
  groups_.pop_front();
}

std::vector<LivePacket> PacketRing::From(uint32_t epoch, double event_s, double from_s) const {
  size_t at = groups_.size();
  for (size_t i = 0; i < groups_.size(); ++i) {
    const LivePacket& key = groups_[i].packets.front();
    if (key.epoch == epoch && OrderOf(key) <= event_s) at = i;
  }
  std::vector<LivePacket> packets;
  if (at == groups_.size()) return packets;
  const LivePacket& member = groups_[at].packets.front();
  size_t first = at;
  while (first > 0 && groups_[first].packets.front().stream_s > from_s &&
         BelongTogether(groups_[first - 1].packets.front(), member)) {
    --first;
  }
  for (size_t i = first; i < groups_.size() && BelongTogether(groups_[i].packets.front(), member); ++i)
    packets.insert(packets.end(), groups_[i].packets.begin(), groups_[i].packets.end());
  return packets;
}

}  // namespace sightline::cameras
