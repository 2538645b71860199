// One client's connection: reads requests, has them handled, sends responses, one after the other.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/clock.h"
#include "serving/server_core.h"
#include "serving/stream_queue.h"
#include "serving/transport.h"

namespace sightline::serving {

// Whatever it waits for has a deadline, but a handler. Threads: the server's.
class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(ServerCore* core, std::unique_ptr<Transport> transport, std::string peer);
  void Start();
  void Stop();   // ends after the response that is under way; at once where there is none, or a stream
  void Close();  // at once
  bool idle() const { return phase_ == Phase::kIdle && served_; }
  const std::string& peer() const { return peer_; }

 private:
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kHandler, kSending, kStream, kLinger, kClosed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void SetPhase(Phase phase, double deadline_s);
  void OnDeadline();

  void BeginRequest();
  void Read();
  void OnRead(ErrorCode error, size_t count);
  void Parse();
  void OnHeader();
  void ReadHead();
  void OnRequest();
  void Refuse(Response response);  // without a handler; what follows of the request is not read

  void Send(Outgoing outgoing);
  void WriteAll(std::string bytes, double deadline_s, void (ClientConnection::*then)());
  void WriteSome();
  void SendFilePart();
  void OnSent();
  void Linger();
  void Discard();

  void BeginStream();
  void WatchForEnd();  // of a stream's client
  void Pump();
  void PumpNext() { Pump(); }
  void OnStreamSent();

  ServerCore& core_;
  const std::unique_ptr<Transport> transport_;
  const std::string peer_;
  Phase phase_ = Phase::kHandshake;
  bool served_ = false, keep_alive_ = true, screened_ = false, chunked_ = false;

  boost::asio::steady_timer timer_;
  MonotonicTime deadline_, stall_;

  std::array<char, 16384> buffer_{};
  std::string input_;  // read, not yet parsed
  std::optional<Parser> parser_;
  Request request_;
  const Route* route_ = nullptr;
  MonotonicTime asked_;

  std::string output_;
  size_t written_ = 0;
  void (ClientConnection::*then_)() = nullptr;
  Outgoing outgoing_;
  uint64_t file_left_ = 0;

  std::shared_ptr<StreamQueue> queue_;
  bool pumping_ = false;
  size_t chunk_bytes_ = 0;
};

}  // namespace sightline::serving
