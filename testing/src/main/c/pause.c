// Holds namespaces open: the first process of a pod's sandbox and of a test's
// node. It collects what is orphaned to it and ends when it is told to.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	sigset_t heeded;
	int told;

	sigemptyset(&heeded);
	sigaddset(&heeded, SIGCHLD);
	sigaddset(&heeded, SIGINT);
	sigaddset(&heeded, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &heeded, NULL) != 0)
		return 1;
	for (;;) {
		if (sigwait(&heeded, &told) != 0)
			return 1;
		if (told != SIGCHLD)
			return 0;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
