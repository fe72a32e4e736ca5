"""Real problems: MATH and the benchmarks, from the hub or from local files to prompts files and their audit."""
