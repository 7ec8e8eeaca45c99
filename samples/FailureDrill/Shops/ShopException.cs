namespace FailureDrill.Shops;

/// <summary>The shop could not be found or started; the message says what to do.</summary>
internal sealed class ShopException(string message) : Exception(message);
