namespace ClickAggregator.Adapters.Cassandra;

/// <summary>What was lately asked for, so much of it at most: in two generations, of which the older is dropped.</summary>
/// <param name="capacity">The sum of the weights, at least 2.</param>
internal sealed class Remembered<TKey, TValue>(int capacity)
    where TKey : notnull
    where TValue : class
{
    private readonly Lock _lock = new();
    private Dictionary<TKey, (TValue Value, int Weight)> _young = [];
    private Dictionary<TKey, (TValue Value, int Weight)> _old = [];
    private int _weight;

    public TValue? Find(TKey key)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(key, out (TValue Value, int Weight) found))
            {
                return found.Value;
            }

            if (_old.Remove(key, out found))
            {
                Add(key, found.Value, found.Weight);
                return found.Value;
            }

            return null;
        }
    }

    public void Put(TKey key, TValue value, int weight)
    {
        lock (_lock)
        {
            _old.Remove(key);
            if (_young.Remove(key, out (TValue Value, int Weight) before))
            {
                _weight -= before.Weight;
            }

            Add(key, value, weight);
        }
    }

    private void Add(TKey key, TValue value, int weight)
    {
        if (_weight + weight > capacity / 2 && _young.Count > 0)
        {
            (_old, _young, _weight) = (_young, [], 0);
        }

        _young.Add(key, (value, weight));
        _weight += weight;
    }
}
