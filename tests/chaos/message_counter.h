#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace whimbrel::chaos {

/// A place in what one runner and its server say to each other. It is counted in messages of the
/// PostgreSQL protocol, not in time, so that a seed finds it again.
struct Place {
  bool to_server = true;
  int message = 1;  ///< From 1, over all connections of one runner, in the order of their arrival.
  double part = 0;  ///< How much of the message still passes: 0 nothing, 1 all of it.
  /// Instead: the first byte that the server sends after it got the message (to_server).
  bool answer = false;
};

/// Counts the messages of one runner's connections (without TLS or GSS encryption) and finds the
/// place where something is to happen. Not thread-safe: it belongs to a proxy's thread.
class MessageCounter {
 public:
  /// The place may be given once, before the first piece.
  void Watch(Place place) { place_ = place; }

  /// Takes the next piece of a direction of a connection. When the place lies in it: how many of
  /// its bytes still pass; the messages behind are counted all the same.
  std::optional<std::size_t> Take(int connection, bool to_server, std::string_view piece);

  [[nodiscard]] int messages(bool to_server) const { return counts_.at(to_server ? 1 : 0); }

 private:
  struct Stream {
    bool begun = false;         // The first message of a client has no type byte.
    std::string header;         // Of the present message, as far as it has come.
    std::uint64_t missing = 0;  // Bytes of its body that have not come.
    /// Of the watched message: bytes that may still pass.
    std::optional<std::uint64_t> left;
  };

  /// True when the place is before this new message.
  bool Begin(Stream& stream, int connection, bool to_server);
  void ReadHeader(Stream& stream, bool to_server, char byte);

  std::array<int, 2> counts_{};
  std::map<std::pair<int, bool>, Stream> streams_;
  std::optional<Place> place_;
  std::optional<int> answered_on_;  // The connection whose next answer is the place.
};

}  // namespace whimbrel::chaos
