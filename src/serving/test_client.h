// For tests only: a client that says exactly what it is told to, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/text.h"

namespace sightline::serving {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class TestClient {
 public:
  explicit TestClient(int port, int receive_buffer = 0) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0)
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { close(socket_); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  // More bytes into the buffer; false at the end, or when nothing came for `wait_s`.
  bool Receive(double wait_s = 10) {
    pollfd waited{socket_, POLLIN, 0};
    if (poll(&waited, 1, static_cast<int>(wait_s * 1000)) <= 0) return false;
    char bytes[65536];
    const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) {
      ended_ = true;
      return false;
    }
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }
  bool ReceiveUntil(std::string_view text, double wait_s = 10) {
    while (received_.find(text) == std::string::npos)
      if (!Receive(wait_s)) return false;
    return true;
  }
  // All until the server closes.
  std::string ReceiveAll(double wait_s = 10) {
    while (Receive(wait_s)) {
    }
    return received_;
  }
  // One response with a known length; `head`: without a body.
  std::optional<Answer> ReceiveAnswer(bool head = false) {
    if (!ReceiveUntil("\r\n\r\n")) return std::nullopt;
    const size_t end = received_.find("\r\n\r\n");
    Answer answer;
    const auto lines = Split(received_.substr(0, end), '\n');
    answer.status = std::stoi(lines[0].substr(9, 3));
    for (size_t i = 1; i < lines.size(); ++i) {
      const size_t colon = lines[i].find(':');
      answer.headers[Lower(lines[i].substr(0, colon))] =
          std::string(Trim(std::string_view(lines[i]).substr(colon + 1)));
    }
    const auto length = answer.headers.find("content-length");
    const size_t count = length == answer.headers.end() || head ? 0 : std::stoul(length->second);
    received_.erase(0, end + 4);
    while (received_.size() < count)
      if (!Receive()) return std::nullopt;
    answer.body = received_.substr(0, count);
    received_.erase(0, count);
    return answer;
  }
  Answer Ask(std::string_view method, std::string_view target, std::string_view headers = "",
             std::string_view body = "") {
    Send(fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}{}\r\n{}", method, target, headers,
                     body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size()), body));
    return ReceiveAnswer(method == "HEAD").value_or(Answer{});
  }
  bool ended() const { return ended_; }
  std::string& received() { return received_; }

 private:
  int socket_;
  bool ended_ = false;
  std::string received_;
};

}  // namespace sightline::serving
