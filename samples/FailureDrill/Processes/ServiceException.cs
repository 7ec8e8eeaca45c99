namespace FailureDrill.Processes;

/// <summary>A service to be drilled could not be found or started; the message says what to do.</summary>
internal sealed class ServiceException(string message) : Exception(message);
