"""RabbitMQ beside AMQP: its management API, and the policies of the queues. Needs no Django."""
