// SPDX-License-Identifier: Apache-2.0
/**
 * The boundary to C: each struct and enum of {@code bpf/} that both sides know is defined here
 * once. A test compares them with the BTF of the compiled classifier. The C sources document each
 * field's meaning and unit. Pure, without a kernel.
 */
@NullMarked
package dev.tokenbucket.agent.layout;

import org.jspecify.annotations.NullMarked;
