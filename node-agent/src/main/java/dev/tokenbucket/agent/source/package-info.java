/** Where the desired state comes from, a cluster or a folder, and where reports go. */
@NullMarked
package dev.tokenbucket.agent.source;

import org.jspecify.annotations.NullMarked;
