// Prints what the detection node sees. CMakeLists.txt says how to build it.
#include <cstdio>
#include <rclcpp/rclcpp.hpp>
#include <rs_ml_msgs/msg/detection_array.hpp>

void show(const rs_ml_msgs::msg::DetectionArray & msg)
{
  for (const auto & found : msg.detections) {
    std::printf("%s #%d, score %.2f, ", found.label.c_str(), found.track_id, found.score);
    found.has_position ? std::printf("%.2f m away\n", found.position.z) : std::puts("no depth");
  }
}

int main(int argc, char ** argv)
{
  rclcpp::init(argc, argv);
  auto node = std::make_shared<rclcpp::Node>("subscriber");
  auto subscription = node->create_subscription<rs_ml_msgs::msg::DetectionArray>(
    "/rs_ml/detection/detections", 10, show);
  rclcpp::spin(node);
}
