#include "serving/client_connection.h"

#include <ctime>

#include <boost/asio/post.hpp>

#include "base/log.h"
#include "base/text.h"
#include "serving/http_access.h"

namespace sightline::serving {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr double kLingerSeconds = 2;
constexpr double kRateMin = 16 << 10;  // bytes a second that a client must take or give
constexpr size_t kDiscardMax = 1 << 20;
constexpr size_t kFilePart = 64 << 10;
constexpr size_t kPipelinedMax = 64 << 10;

std::string_view View(const boost::beast::string_view& text) { return {text.data(), text.size()}; }

MonotonicTime In(double seconds) {
  return MonotonicClock::now() + std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6));
}

Response ProblemOf(const ErrorCode& error, const ServerOptions& options) {
  if (error == http::error::body_limit) {
    return Problem(413, ReasonOf(413),
                   fmt::format("a request's body may have {} bytes at most", options.body_bytes_max));
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Problem(431, ReasonOf(431),
                   fmt::format("a request's header may have {} bytes at most", options.header_bytes_max));
  }
  return Problem(400, ReasonOf(400), fmt::format("the request is no HTTP/1.1: {}", error.message()));
}

}  // namespace

ClientConnection::ClientConnection(ServerCore* core, std::unique_ptr<Transport> transport, std::string peer)
    : core_(*core), transport_(std::move(transport)), peer_(std::move(peer)), timer_(core->io()) {}

void ClientConnection::Start() {
  SetPhase(Phase::kHandshake, core_.options().request_s);
  transport_->Handshake([self = shared_from_this()](ErrorCode error) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) {
      self->core_.counts().CountRefused("tls");
      return self->Close();
    }
    self->BeginRequest();
  });
}

void ClientConnection::Stop() {
  if (phase_ == Phase::kHandler || phase_ == Phase::kSending) return;
  Close();
}

void ClientConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  timer_.cancel();
  transport_->Abort();
  if (queue_ != nullptr) {
    core_.counts().chunks_dropped += queue_->refused();
    --core_.counts().streams;
    queue_->Close();
    queue_ = nullptr;
  }
  outgoing_ = {};
  core_.OnClosed(shared_from_this());
}

// Deadlines move often and timers are dear: one wait is under way, and looks at the clock when it ends.
void ClientConnection::SetPhase(Phase phase, double deadline_s) {
  phase_ = phase;
  deadline_ = deadline_s > 0 ? In(deadline_s) : MonotonicTime::max();
  stall_ = MonotonicTime::max();
  if (deadline_s <= 0) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->OnDeadline();
  });
}

void ClientConnection::OnDeadline() {
  const MonotonicTime limit = std::min(deadline_, stall_), now = MonotonicClock::now();
  if (phase_ == Phase::kClosed || limit == MonotonicTime::max()) return;
  if (now < limit) {
    timer_.expires_at(limit);
    timer_.async_wait([self = shared_from_this()](ErrorCode error) {
      if (!error) self->OnDeadline();
    });
    return;
  }
  switch (phase_) {
    case Phase::kHeader:
    case Phase::kBody:
      core_.counts().CountRefused(phase_ == Phase::kHeader ? "header_timeout" : "body_timeout");
      return Refuse(Problem(408, ReasonOf(408), "the request took too long to come"));
    case Phase::kSending:
    case Phase::kStream:
      core_.counts().CountRefused("client_too_slow");
      break;
    default:
      break;
  }
  Close();
}

void ClientConnection::BeginRequest() {
  if (core_.stopping()) return Close();
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(core_.options().header_bytes_max));
  parser_->body_limit(core_.options().body_bytes_max);
  request_ = {};
  route_ = nullptr;
  screened_ = false;
  outgoing_ = {};
  if (!input_.empty()) {  // sent before the last response was read
    SetPhase(Phase::kHeader, core_.options().request_s);
    return Parse();
  }
  SetPhase(Phase::kIdle, served_ ? core_.options().idle_s : core_.options().request_s);
  Read();
}

void ClientConnection::Read() {
  transport_->ReadSome(asio::buffer(buffer_), [self = shared_from_this()](ErrorCode error, size_t count) {
    self->OnRead(error, count);
  });
}

void ClientConnection::OnRead(ErrorCode error, size_t count) {
  if (phase_ != Phase::kIdle && phase_ != Phase::kHeader && phase_ != Phase::kBody) return;  // refused since
  if (error) return Close();
  if (phase_ == Phase::kIdle) SetPhase(Phase::kHeader, core_.options().request_s);
  input_.append(buffer_.data(), count);
  Parse();
}

void ClientConnection::Parse() {
  while (!parser_->is_done()) {
    if (input_.empty()) return Read();
    ErrorCode error;
    const size_t used = parser_->put(asio::buffer(input_), error);
    input_.erase(0, used);
    if (error == http::error::need_more) {
      if (input_.size() > core_.options().header_bytes_max && !parser_->is_header_done())
        error = http::error::header_limit;
      else
        return Read();
    }
    if (error) {
      core_.counts().CountRefused("malformed");
      return Refuse(ProblemOf(error, core_.options()));
    }
    if (parser_->is_header_done() && !screened_) {
      screened_ = true;
      OnHeader();
      if (phase_ != Phase::kBody) return;
    }
  }
  OnRequest();
}

void ClientConnection::ReadHead() {
  const auto& head = parser_->get();
  request_.method = View(head.method_string());
  for (const auto& field : head) {
    std::string& value = request_.headers[Lower(View(field.name_string()))];
    if (!value.empty()) value += ", ";
    value += View(field.value());
  }
  request_.peer = peer_;
  request_.local = IsLocalHost(peer_) && !CameThroughProxy(request_);
}

// What is refused is refused before its body is read.
void ClientConnection::OnHeader() {
  ReadHead();
  keep_alive_ = parser_->keep_alive();
  chunked_ = parser_->get().version() >= 11;
  if (chunked_ && request_.headers.count("host") == 0)
    return Refuse(Problem(400, ReasonOf(400), "a request of HTTP/1.1 has a Host header"));
  auto target = ParseTarget(View(parser_->get().target()));
  if (!target.ok()) return Refuse(Problem(target.status()));
  request_.path = target->path;
  request_.query = std::move(target->query);
  if (auto refusal = core_.Screen(target->segments, &request_, &route_)) return Refuse(*std::move(refusal));
  const uint64_t length =
      parser_->content_length() ? *parser_->content_length() : core_.options().body_bytes_max;
  SetPhase(Phase::kBody, core_.options().request_s + static_cast<double>(length) / kRateMin);
  const auto expect = request_.headers.find("expect");
  if (expect == request_.headers.end() || parser_->is_done() || !input_.empty()) return;
  if (Lower(expect->second) != "100-continue")
    return Refuse(Problem(417, "Expectation Failed", "only 100-continue is known"));
  // Small enough for any socket's buffer; what comes meanwhile is not read.
  transport_->WriteSome(asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25),
                        [self = shared_from_this()](ErrorCode error, size_t) {
                          if (error) self->Close();
                        });
}

void ClientConnection::Refuse(Response response) {
  asked_ = MonotonicClock::now();
  // What is left of the request would be read as the next one.
  if (!parser_->is_done()) keep_alive_ = false;
  Send(ToOutgoing(std::move(response), request_));
}

void ClientConnection::OnRequest() {
  SetPhase(Phase::kHandler, 0);
  asked_ = MonotonicClock::now();
  request_.body = std::move(parser_->get().body());
  const auto kind = ChangesSomething(request_.method) ? HandlerPool::Kind::kLong : HandlerPool::Kind::kQuick;
  const bool posted = core_.pool().Post(kind, [self = shared_from_this()] {
    Response response;
    try {
      response = self->route_->handler(self->request_);
    } catch (const std::exception& exception) {
      spdlog::error("http: {} {}: {}", self->request_.method, self->route_->pattern, exception.what());
      response = Problem(500, ReasonOf(500), "the request met a fault of this program, which is in its log");
    } catch (...) {
      response = Problem(500, ReasonOf(500), "the request met a fault of this program");
    }
    auto outgoing = std::make_shared<Outgoing>(ToOutgoing(std::move(response), self->request_));
    asio::post(self->core_.io(), [self, outgoing] {
      if (self->phase_ == Phase::kHandler) self->Send(std::move(*outgoing));
    });
  });
  if (!posted) {
    core_.counts().CountRefused("busy");
    Refuse(Problem(503, ReasonOf(503), "too many requests wait; try again in a moment"));
  }
}

void ClientConnection::Send(Outgoing outgoing) {
  const bool head_only = request_.method == "HEAD";
  outgoing_ = std::move(outgoing);
  if (head_only) outgoing_.stream = nullptr;
  auto& headers = outgoing_.headers;
  headers["Date"] = HttpDate(std::time(nullptr));
  if (outgoing_.stream || core_.stopping()) keep_alive_ = false;
  const bool empty = outgoing_.status == 204 || outgoing_.status == 304;
  file_left_ = outgoing_.file != nullptr ? outgoing_.range.count : 0;
  if (outgoing_.stream) {
    if (chunked_) headers["Transfer-Encoding"] = "chunked";
    headers["X-Accel-Buffering"] = "no";
  } else if (!empty) {
    headers["Content-Length"] =
        std::to_string(outgoing_.file != nullptr ? file_left_ : outgoing_.body.size());
  }
  if (!keep_alive_) headers["Connection"] = "close";
  const std::string method = route_ == nullptr ? "other" : request_.method;
  core_.counts().CountRequest(method, route_ == nullptr ? "none" : route_->pattern, outgoing_.status,
                              std::chrono::duration<double>(MonotonicClock::now() - asked_).count());
  std::string bytes = HeadOf(outgoing_.status, headers);
  if (head_only || empty) file_left_ = 0;
  if (!head_only && !empty) bytes += outgoing_.body;
  outgoing_.body.clear();
  const double transfer_s = static_cast<double>(bytes.size() + file_left_) / kRateMin;
  SetPhase(Phase::kSending, 3 * core_.options().stall_s + transfer_s);
  WriteAll(std::move(bytes), 0,
           outgoing_.stream ? &ClientConnection::BeginStream : &ClientConnection::SendFilePart);
}

// `deadline_s`: a new one; 0: the one that is set goes on.
void ClientConnection::WriteAll(std::string bytes, double deadline_s, void (ClientConnection::*then)()) {
  output_ = std::move(bytes);
  written_ = 0;
  then_ = then;
  if (deadline_s > 0) SetPhase(phase_, deadline_s);
  stall_ = In(core_.options().stall_s);
  timer_.expires_at(std::min(deadline_, stall_));
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->OnDeadline();
  });
  WriteSome();
}

void ClientConnection::WriteSome() {
  if (written_ == output_.size()) {
    stall_ = MonotonicTime::max();
    return (this->*then_)();
  }
  transport_->WriteSome(asio::buffer(output_.data() + written_, output_.size() - written_),
                        [self = shared_from_this()](ErrorCode error, size_t count) {
                          if (self->phase_ == Phase::kClosed) return;
                          if (error) return self->Close();
                          self->written_ += count;
                          self->core_.counts().CountSent(count);
                          self->stall_ = In(self->core_.options().stall_s);
                          self->WriteSome();
                        });
}

void ClientConnection::SendFilePart() {
  if (file_left_ == 0) return OnSent();
  std::string part(std::min<uint64_t>(kFilePart, file_left_), '\0');
  const auto got = outgoing_.file->ReadAt(outgoing_.range.first, part.data(), part.size());
  if (!got || *got == 0) return Close();  // cut short: the client sees that it is not whole
  part.resize(*got);
  outgoing_.range.first += *got;
  file_left_ -= *got;
  WriteAll(std::move(part), 0, &ClientConnection::SendFilePart);
}

void ClientConnection::OnSent() {
  served_ = true;
  if (!keep_alive_) return Linger();
  BeginRequest();
}

// Closing while the client still sends would take from it what it was sent: it is told of the end, and read
// out.
void ClientConnection::Linger() {
  SetPhase(Phase::kLinger, core_.stopping() ? 0.2 : kLingerSeconds);
  written_ = 0;
  transport_->EndSending([self = shared_from_this()] {
    if (self->phase_ == Phase::kLinger) self->Discard();
  });
}

void ClientConnection::Discard() {
  transport_->ReadSome(asio::buffer(buffer_), [self = shared_from_this()](ErrorCode error, size_t count) {
    if (self->phase_ != Phase::kLinger) return;
    self->written_ += count;
    if (error || self->written_ > kDiscardMax) return self->Close();
    self->Discard();
  });
}

void ClientConnection::BeginStream() {
  SetPhase(Phase::kStream, 0);
  ++core_.counts().streams;
  queue_ = std::make_shared<StreamQueue>(core_.options().stream_bytes_max,
                                         [weak = weak_from_this(), io = &core_.io()] {
                                           asio::post(*io, [weak] {
                                             if (const auto self = weak.lock()) self->Pump();
                                           });
                                         });
  auto writer = std::make_shared<std::shared_ptr<BodyStream>>(queue_->NewWriter());
  auto begin =
      std::make_shared<std::function<void(std::shared_ptr<BodyStream>)>>(std::move(outgoing_.stream));
  if (!core_.pool().Post(HandlerPool::Kind::kQuick, [writer, begin, self = shared_from_this()] {
        try {
          (*begin)(std::exchange(*writer, nullptr));
        } catch (const std::exception& exception) {
          spdlog::error("http: stream: {}", exception.what());
        }
      })) {
    return Close();
  }
  WatchForEnd();
}

void ClientConnection::WatchForEnd() {
  transport_->ReadSome(asio::buffer(buffer_), [self = shared_from_this()](ErrorCode error, size_t count) {
    if (self->phase_ != Phase::kStream && self->phase_ != Phase::kLinger) return;
    self->input_.append(self->buffer_.data(), count);
    if (error || self->input_.size() > kPipelinedMax) return self->Close();
    self->WatchForEnd();
  });
}

void ClientConnection::Pump() {
  if (phase_ != Phase::kStream || pumping_) return;
  auto chunk = queue_->Take();
  if (!chunk) {
    if (!queue_->ended()) return;
    // The client closes when it has read the end.
    if (!chunked_) return Close();
    pumping_ = true;
    chunk_bytes_ = 0;
    return WriteAll("0\r\n\r\n", 0, &ClientConnection::OnStreamSent);
  }
  pumping_ = true;
  chunk_bytes_ = chunk->size();
  std::string bytes = chunked_ ? fmt::format("{:x}\r\n", chunk->size()) + *chunk + "\r\n" : *std::move(chunk);
  const double transfer_s = core_.options().stall_s + static_cast<double>(bytes.size()) / kRateMin;
  WriteAll(std::move(bytes), transfer_s, &ClientConnection::OnStreamSent);
}

void ClientConnection::OnStreamSent() {
  pumping_ = false;
  if (chunk_bytes_ == 0) return SetPhase(Phase::kLinger, kLingerSeconds);
  SetPhase(Phase::kStream, 0);
  queue_->Sent(chunk_bytes_);
  Pump();
}

}  // namespace sightline::serving
