"""A process whose output goes to a file."""
import signal
import subprocess


class LoggedProcess:
    """A subclass has `log_path`, and says what is started and when it listens; `name` is what errors call it."""

    name = "the process"
    process = None

    def spawn(self, command, env):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env)

    def check_alive(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log}")

    def stop(self, how=signal.SIGTERM, timeout=40):
        """Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout)

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")
