// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Selects host interfaces: the ones that carry a default route, one by name, or the ones that match
 * a pattern.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.defaultRoute), has(self.name), has(self.pattern)].filter(x, x).size() == 1",
    message = "exactly one of defaultRoute, name, pattern must be set")
@ValidationRule(
    value = "!has(self.exclude) || has(self.pattern)",
    message = "exclude is allowed only with pattern")
public record InterfaceSelector(
    @JsonPropertyDescription("true selects every interface that carries a default route.")
        @ValidationRule(value = "self", message = "must be true if it is set")
        @Nullable Boolean defaultRoute,
    @JsonPropertyDescription("The exact name of one interface.")
        @Size(min = 1, max = 15)
        @ValidationRule(
            value = "self.matches('^[^/ \\\\t\\\\n:]*$') && self != '.' && self != '..'",
            message = "must be an interface name: no slash, colon or white space")
        @Nullable String name,
    @JsonPropertyDescription(
            "Interfaces whose whole name matches this pattern: * stands for any"
                + " characters, ? for one. A pattern never matches the loopback interface;"
                + " select it by name.")
        @Size(min = 1, max = 15)
        @ValidationRule(
            value = "self.matches('^[^/ \\\\t\\\\n:]*$')",
            message =
                "must be an interface name, with the wildcards * and ?: no slash, colon or"
                    + " white space")
        @Nullable String pattern,
    @JsonPropertyDescription("Interfaces that match one of these patterns are left out.")
        @Size(min = 1, max = 16)
        @ValidationRule(
            value = "self.all(p, p.matches('^[^/ \\\\t\\\\n:]*$'))",
            message =
                "must be interface names, with the wildcards * and ?: no slash, colon or white"
                    + " space")
        @Nullable List<@Size(min = 1, max = 15) String> exclude) {
  /** The interfaces that carry a default route. */
  public static final InterfaceSelector DEFAULT_ROUTE =
      new InterfaceSelector(true, null, null, null);

  private static final String LOOPBACK = "lo";

  /** Whether an interface of this name is selected, by its name or by the pattern. */
  public boolean selects(String interfaceName) {
    if (name != null) {
      return name.equals(interfaceName);
    }
    return pattern != null
        && !interfaceName.equals(LOOPBACK)
        && glob(pattern).test(interfaceName)
        && (exclude == null || exclude.stream().noneMatch(each -> glob(each).test(interfaceName)));
  }

  /** Whether names match a glob: {@code *} and {@code ?}; other characters stand for themselves. */
  public static Predicate<String> glob(String glob) {
    String expression =
        glob.chars()
            .mapToObj(
                c ->
                    switch (c) {
                      case '*' -> ".*";
                      case '?' -> ".";
                      default -> Pattern.quote(Character.toString(c));
                    })
            .collect(Collectors.joining());
    return Pattern.compile(expression, Pattern.DOTALL).asMatchPredicate();
  }
}
