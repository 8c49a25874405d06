// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.observe;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.inject.Singleton;
import org.jspecify.annotations.Nullable;

/**
 * Adds the tag that the framework's meters lack for Nodes, which have no API group. Prometheus
 * accepts only one set of tags per meter, and would drop the meters of policies.
 */
@Singleton
class OneTagSet implements MeterFilter {
  private static final String CORE = "core";

  @Override
  public Meter.Id map(Meter.Id id) {
    String group = missingGroup(id);
    return group == null ? id : id.replaceTags(Tags.concat(id.getTags(), group, CORE));
  }

  private static @Nullable String missingGroup(Meter.Id id) {
    if (!id.getName().startsWith("operator.sdk.")) {
      return null;
    }
    if (id.getTag("kind") != null && id.getTag("group") == null) {
      return "group";
    }
    return id.getTag("resource.kind") != null && id.getTag("resource.group") == null
        ? "resource.group"
        : null;
  }
}
