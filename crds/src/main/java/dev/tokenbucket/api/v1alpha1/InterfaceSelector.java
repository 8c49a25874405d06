package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Selects host interfaces: those that carry a default route, or one by its name. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.defaultRoute), has(self.name)].filter(x, x).size() == 1",
    message = "exactly one of defaultRoute, name must be set")
public record InterfaceSelector(
    @JsonPropertyDescription("true selects every interface that carries a default route.")
        @ValidationRule(value = "self", message = "must be true where it is set")
        @Nullable Boolean defaultRoute,
    @JsonPropertyDescription("An interface by its exact name.")
        @Size(min = 1, max = 15)
        @ValidationRule(
            value = "self.matches('^[^/ \\\\t\\\\n:]*$') && self != '.' && self != '..'",
            message = "must be an interface name: no slash, colon or white space")
        @Nullable String name) {}
