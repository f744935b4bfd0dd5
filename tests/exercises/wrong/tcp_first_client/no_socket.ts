// fails at 1: did not connect
// Prints what might be expected, and opens no socket.
console.log("Good morning!");
