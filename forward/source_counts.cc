#include "forward/source_counts.h"

namespace adit::forward {

SourceCounts::SourceCounts(uint32_t capacity, uint64_t seed) : seed_(seed), sources_(capacity), index_(capacity) {}

uint32_t SourceCounts::flows_of(RuleId rule, const Ip& client) const noexcept {
  const SourceIndex source = find(rule, source_prefix(client));
  return source == kNoSlot ? 0 : sources_[source].flows;
}

SourceIndex SourceCounts::add(RuleId rule, const Ip& client) noexcept {
  const Ip prefix = source_prefix(client);
  SourceIndex source = find(rule, prefix);
  if (source == kNoSlot) {
    source = sources_.put({.prefix = prefix, .rule = rule, .flows = 0, .next = kNoSlot});
    index_.insert(sources_, hash(rule, prefix), source);
  }
  ++sources_[source].flows;
  return source;
}

void SourceCounts::remove(SourceIndex source) noexcept {
  if (--sources_[source].flows > 0) return;
  index_.erase(sources_, hash(sources_[source].rule, sources_[source].prefix), source);
  sources_.erase(source);
}

SourceIndex SourceCounts::find(RuleId rule, const Ip& prefix) const noexcept {
  return index_.find(sources_, hash(rule, prefix),
                     [&](const Source& source) { return source.rule == rule && source.prefix == prefix; });
}

uint64_t SourceCounts::hash(RuleId rule, const Ip& prefix) const noexcept {
  return hash_endpoint({.ip = prefix, .port = 0, .scope = rule}, seed_);
}

}  // namespace adit::forward
