/** How operator and agent get at the API server: from within a pod, or by a kubeconfig. */
@NullMarked
package dev.tokenbucket.api.client;

import org.jspecify.annotations.NullMarked;
